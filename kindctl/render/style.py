"""What all output shares: signs, colours, durations and widths."""

from __future__ import annotations

import os
import re
import textwrap
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Signs:
    ready: str
    failed: str
    warning: str
    cancelled: str
    pending: str
    running: tuple[str, ...]  # frames of an animation
    more: str  # marks where text was cut
    bar: str  # work on the critical path
    bar_off_path: str  # other work
    bar_waiting: str
    rule: str  # before a tool's own output

    def of(self, outcome: str) -> str:
        """Return the sign for the outcome or state of a step, or for the level of a verdict."""
        return {
            "ready": self.ready,
            "ok": self.ready,
            "failed": self.failed,
            "warning": self.warning,
            "cancelled": self.cancelled,
        }.get(outcome, self.pending)


UNICODE = Signs("✓", "✗", "!", "◌", "·", tuple("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"), "…", "█", "░", "·", "│")
ASCII = Signs("+", "x", "!", "o", ".", tuple("-\\|/"), "...", "#", "-", ".", "|")

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

COLOURS = {
    "ready": "green",
    "ok": "green",
    "running": "cyan",
    "failed": "red",
    "absent": "cyan",
    "differs": "yellow",
    "not ready": "yellow",
    "warning": "yellow",
    "cancelled": "yellow",
    "stopped": "yellow",
    "partly stopped": "yellow",
    "not answering": "red",
}
"""Colours of outcomes, states and levels. Others are shown in the terminal's default colour."""


def signs_for(stream: TextIO) -> Signs:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    return UNICODE if encoding.startswith(("utf", "cp65001")) else ASCII


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that can move the cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Paint:
    """Adds ANSI styles to text if the stream is a terminal. With NO_COLOR only bold and dim remain."""

    def __init__(self, stream: TextIO) -> None:
        self._on = is_terminal(stream)
        self._colours = not os.environ.get("NO_COLOR")

    def __call__(self, text: str, *styles: str) -> str:
        """Return `text` in the given styles. An empty style has no effect."""
        shown = CODES if self._colours else ("bold", "dim")
        kept = [CODES[style] for style in styles if style in shown]
        return f"\033[{';'.join(kept)}m{text}\033[0m" if self._on and kept and text else text


def width_of(stream: TextIO, at_most: int = 100) -> int:
    """Return the number of columns to fill. On a terminal, this is the terminal's width but at most
    `at_most`. If the stream is not a terminal, it is `at_most`."""
    return min(_columns(stream), at_most) if is_terminal(stream) else at_most


def _columns(stream: TextIO) -> int:
    """Return the width in columns of the terminal that this stream writes to. Each stream is asked
    separately, since standard output may be a pipe while standard error is a terminal."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80


_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


def clean(text: str) -> str:
    """Return `text` without escape sequences and control characters, which programs write for terminals."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def cut(text: str, width: int, more: str = UNICODE.more) -> str:
    """Return `text`, shortened to its first `width` characters with `more` at the end if it is longer."""
    return text if len(text) <= width else text[: max(width - len(more), 0)].rstrip() + more


def wrap(text: str, stream: TextIO, before: str = "", hard: bool = False) -> list[str]:
    """Return the lines of `text`, each after the prefix `before`, wrapped if `stream` is a terminal.

    `hard` is for the output of programs: lines break anywhere, and spaces stay as they are.
    """
    lines = [line.rstrip() for line in clean(text).splitlines()]
    if is_terminal(stream):
        room = max(width_of(stream, at_most=1000) - len(before), 20)
        lines = [part for line in lines for part in _broken(line, room, hard)]
    return [(before + line).rstrip() for line in lines]


def _broken(line: str, room: int, hard: bool) -> list[str]:
    if hard:
        return [line[at : at + room] for at in range(0, len(line), room)] or [""]
    return textwrap.wrap(line, room, break_on_hyphens=False, drop_whitespace=True) or [""]


def duration(seconds: float) -> str:
    """Return a duration for people: "0.3 s", "48 s" or "2 m 05 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} m {whole % 60:02} s"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 change", "3 changes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
