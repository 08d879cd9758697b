"""The screen for terminals: it shows every step, what the step does or waits for, and how many seconds the
step has taken.

The view is redrawn in place and never taller than the terminal. When the run has ended, a list of what was
done replaces the view and stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live as RichLive
from rich.text import Text

from kindctl.render.board import Board, Row
from kindctl.render.screen import Screen
from kindctl.render.style import COLOURS, Signs, count, duration, signs_for
from kindctl.runner.events import Event, RunEnded, RunStarted

FRAMES = 8  # per second
WIDTH = 120  # in wider lines the eye no longer connects a title with its seconds
NARROW_TITLE, WIDE_TITLE = 32, 48
SIGN, SECONDS = 3, 9
GAP = 2
MARGIN = 1


class Live(Screen):
    """The screen for terminals. It draws nothing before the run starts: kindctl may ask questions until
    then."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = Console(file=stream, highlight=False)
        self._signs = signs_for(stream)
        self._lock = threading.Lock()  # rich draws in its own thread
        self._began = 0.0
        self._live: RichLive | None = None

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._board.take(event)
        self.show(event)

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._began = time.monotonic()
            self._live = RichLive(
                self,
                console=self._console,
                refresh_per_second=FRAMES,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()
        elif isinstance(event, RunEnded):
            self.close()
            for line in closing(self._board, self._console.width, self._signs):
                self._console.print(line, no_wrap=True, overflow="crop", soft_wrap=False)
            if any(step.outcome != "ready" for step in event.report.steps):
                self._console.print()  # an error follows

    def close(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # Rich draws once more before it erases the view: even then it must fit the terminal's height.
        with self._lock:
            now = time.monotonic() - self._began
            size = console.size
            yield from picture(self._board, now, size.width, size.height, self._signs)


def picture(board: Board, now: float, width: int, height: int, signs: Signs) -> list[Text]:
    """Return the view as at most `height` - 1 lines: the steps in display order, then a total. Steps for
    which there is no room are only counted."""
    rows = [row for row in board.rows.values() if row.state != "skipped"]
    above, shown, below = select(rows, height - 2)
    pen = _Pen(board, now, width, signs)
    lines = [pen.line(row) for row in shown]
    if above:
        lines.insert(0, pen.aside("ready", f"{count(above, 'step')} done"))
    if below:
        lines.append(pen.aside("pending", f"{below} more to come"))
    lines = [*lines, _total(board, now)][-max(height - 1, 1) :]
    for line in lines:
        line.truncate(max(width - MARGIN, 1))
    return lines


def select(rows: Sequence[Row], room: int) -> tuple[int, list[Row], int]:
    """Choose the rows to show in `room` lines. Return three values: the number of omitted rows whose steps
    have ended, the chosen rows, and the number of all other omitted rows.

    Running and failed steps are chosen first, then the steps that start next, then those that ended last.
    """
    if len(rows) <= room:
        return 0, list(rows), 0
    room = max(room - 2, 1)  # two lines count the rows that are left out
    active = [row for row in rows if row.state in ("running", "failed")]
    pending = [row for row in rows if row.state == "pending"]
    done = [row for row in rows if row.ended and row.state != "failed"]
    done.sort(key=lambda row: row.started + row.seconds, reverse=True)
    some = max((room - len(active)) // 2, 0)
    chosen = [*active, *pending[:some], *done[:some], *pending[some:], *done[some:]][:room]
    names = {row.name for row in chosen}
    hidden = [row for row in rows if row.name not in names]
    above = sum(row.ended for row in hidden)
    return above, [row for row in rows if row.name in names], len(hidden) - above


def closing(board: Board, width: int, signs: Signs) -> list[Text]:
    """Return the list that stays on the screen after the run: what was done and what was not. Quick steps
    without a change share a line."""
    rows = list(board.rows.values())
    quiet = [row for row in rows if row.state == "ready" and not row.changes and row.seconds < 1]
    if len(quiet) < 3:
        quiet = []
    skipped = [row for row in rows if row.state == "skipped"]
    pen = _Pen(board, board.now, width, signs)
    lines = [pen.line(row) for row in rows if row not in quiet and row not in skipped]
    if quiet:
        lines.append(pen.aside("ready", f"{count(len(quiet), 'step')} with nothing to change"))
    if skipped:
        lines.append(pen.aside("skipped", f"{count(len(skipped), 'step')} not started"))
    return lines


class _Pen:
    """Draws lines that consist of a sign, a title, what the step does or waits for, and how many seconds
    the step has taken."""

    def __init__(self, board: Board, now: float, width: int, signs: Signs) -> None:
        self._board = board
        self._now = now
        self._width = min(width - MARGIN, WIDTH)
        self._signs = signs
        longest = max((cell_len(row.title) for row in board.rows.values()), default=0)
        most = WIDE_TITLE if self._width > 100 else NARROW_TITLE
        self._title = max(min(longest, most, self._width - SIGN - GAP - SECONDS), 1)

    def line(self, row: Row) -> Text:
        colour = COLOURS.get(row.state, "")
        running, failed = row.state == "running", row.state == "failed"
        weight = "bold" if running or failed else "" if row.ended else "dim"
        line = Text(no_wrap=True)
        line.append(f" {self._sign(row)} ", style=colour)
        line.append(_fit(row.title, self._title, self._signs), style=weight)
        room = self._width - line.cell_len - GAP - SECONDS
        doing = _fit(_doing(self._board, row), room, self._signs)
        line.append(" " * GAP + doing, style=colour if failed else "dim")
        return line.append(self._seconds(row).rjust(SECONDS), style="" if running else "dim")

    def aside(self, state: str, text: str) -> Text:
        sign = f" {self._signs.of(state)} "
        return Text.assemble((sign, COLOURS.get(state, "")), (text, "dim"), no_wrap=True)

    def _sign(self, row: Row) -> str:
        if row.state != "running":
            return self._signs.of(row.state)
        return self._signs.running[int(self._now * FRAMES) % len(self._signs.running)]

    def _seconds(self, row: Row) -> str:
        if row.state == "running":
            return duration(max(self._now - row.started, 0.0))
        return duration(row.seconds) if row.ended else ""


def _doing(board: Board, row: Row) -> str:
    match row.state:
        case "running":
            return row.said
        case "pending":
            unmet = board.unmet(row)
            others = f" (+{len(unmet) - 1})" if len(unmet) > 1 else ""
            return f"after: {unmet[0].title}{others}" if unmet else ""
        case "cancelled":
            return row.note or row.said
    return row.changed or row.note


def _fit(text: str, width: int, signs: Signs) -> str:
    """Return the text cut or padded to exactly `width` columns. A character may take two columns."""
    if cell_len(text) > width:
        text = set_cell_size(text, max(width - len(signs.more), 0)) + signs.more
    return set_cell_size(text, max(width, 0))


def _total(board: Board, now: float) -> Text:
    states = [row.state for row in board.rows.values()]
    skipped, waiting = states.count("skipped"), states.count("pending")
    done = len(states) - skipped - waiting - states.count("running")
    parts = [f"{done} of {len(states)} done", f"{states.count('running')} running", duration(now)]
    if "failed" in states:
        parts.append("failed: waiting for running steps to finish")
    return Text(" " + ", ".join(parts), style="dim", no_wrap=True)
