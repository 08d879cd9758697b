"""The verdicts of the machine checks, as `kindctl doctor` shows them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TextIO

from kindctl.models import Verdict
from kindctl.render.style import COLOURS, Paint, clean, count, is_terminal, signs_for, width_of


def verdict_lines(verdicts: Sequence[Verdict], stream: TextIO) -> list[str]:
    """Return a line for each check, followed by the fix if the check is not ok, and the totals in the last
    line."""
    paint, signs = Paint(stream), signs_for(stream)
    code_width = max(len(verdict.code) for verdict in verdicts)
    room = width_of(stream, at_most=120) - code_width - 6 if is_terminal(stream) else 10_000
    lines = []
    for verdict in verdicts:
        level = "skipped" if verdict.blocked_by else verdict.level
        sign = paint(signs.of(level), COLOURS.get(level, "dim"))
        seen = f"skipped: needs {verdict.blocked_by}" if verdict.blocked_by else verdict.seen
        first, *rest = _wrap(seen, room) or [""]
        indent = " " * (code_width + 5)
        lines.append(f" {sign} {paint(verdict.code.ljust(code_width), 'bold')}  {first}")
        lines += [indent + line for line in rest]
        if verdict.fix and level not in ("ok", "skipped"):
            lines += [indent + paint(line, "dim") for line in _wrap(_fix(verdict), room)]
    return [*lines, "", _total(verdicts)]


def _fix(verdict: Verdict) -> str:
    by_command = verdict.fixable and "doctor --fix" not in verdict.fix
    return f"fix: {verdict.fix}" + (" (or run `kindctl doctor --fix`)" if by_command else "")


def _wrap(text: str, room: int) -> list[str]:
    return textwrap.wrap(clean(text), max(room, 20), break_long_words=False, break_on_hyphens=False)


def _total(verdicts: Sequence[Verdict]) -> str:
    levels = [verdict.level for verdict in verdicts if not verdict.blocked_by]
    failed, warned = levels.count("failed"), levels.count("warning")
    parts = [f"{failed} failed"] if failed else []
    parts += [count(warned, "warning")] if warned else []
    blocked = len(verdicts) - len(levels)
    parts += [f"{blocked} skipped"] if blocked else []
    return ", ".join([*parts, f"{levels.count('ok')} ok"])
