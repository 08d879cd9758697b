"""The screen for logs, pipes and terminals that cannot redraw: one line for each thing that happens."""

from __future__ import annotations

from typing import TextIO

from kindctl.render.board import Board, Row
from kindctl.render.screen import Screen
from kindctl.render.style import count, cut, duration
from kindctl.runner.events import Event, RunEnded, RunStarted, StepEnded, StepSaid, StepStarted

SAY_INTERVAL = 5.0
"""The minimum number of seconds between two lines that one step says. The value is high because people read
a log only afterwards."""

WIDTH = 160


class Plain(Screen):
    """The screen for logs and pipes: lines with a time, an event and a step."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._written: dict[str, tuple[float, str]] = {}  # step -> when, and its last words

    def show(self, event: Event) -> None:
        match event:
            case RunStarted(environment, steps):
                self._write(f"{environment}: {count(len(steps), 'step')}")
            case StepStarted(name):
                self._line("start", self._board.rows[name])
            case StepEnded(name, _, outcome) if outcome != "skipped":
                self._line(outcome, self._board.rows[name], _result(self._board.rows[name]))
            case RunEnded():
                self._write(_summary(self._board))
        if not isinstance(event, StepEnded | RunEnded):
            self._write_what_is_due(event)

    def _write_what_is_due(self, event: Event) -> None:
        """Write what running steps say. A text that comes too soon after the last line is written at a
        later event, unless a newer text replaces it."""
        for row in self._board.rows.values():
            at, text = self._written.get(row.name, (0.0, ""))
            first = isinstance(event, StepSaid) and event.name == row.name and not text
            due = first or self._board.now - at >= SAY_INTERVAL
            if row.state == "running" and row.said not in ("", text) and due:
                self._line("", row, row.said)

    def _line(self, word: str, row: Row, text: str = "") -> None:
        self._written[row.name] = (self._board.now, row.said if text == row.said else "")
        line = f"{self._board.now:7.1f}  {word:<9}  {row.title}"
        self._write(cut(f"{line}: {text}" if text else line, WIDTH))


def _result(row: Row) -> str:
    if row.state == "failed":
        return row.note
    return ", ".join(filter(None, [duration(row.seconds), row.changed, row.note]))


def _summary(board: Board) -> str:
    """Return a line such as "31 steps in 48 s: 29 ready, 1 failed, 1 not started"."""
    words = {"skipped": "not started"}
    states = [row.state for row in board.rows.values()]
    parts = [
        f"{states.count(state)} {words.get(state, state)}"
        for state in ("ready", "failed", "cancelled", "skipped")
        if state in states
    ]
    seconds = board.report.seconds if board.report else board.now
    head = f"{count(len(states), 'step')} in {duration(seconds)}"
    return f"{head}: {', '.join(parts)}" if parts else head
