"""One line for each thing that happens: for logs, pipes and terminals that cannot do more."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TextIO

from kindctl.render.board import Board, Row
from kindctl.render.style import count, cut, duration
from kindctl.runner.events import Event, RunEnded, RunStarted, StepEnded, StepSaid, StepStarted

QUIET = 5.0
"""Seconds between two lines of what one step says: a log is read afterwards."""

WIDTH = 160


class Plain:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._board = Board()
        self._told: dict[
            str, tuple[float, str]
        ] = {}  # name -> when and what was last written of it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return

    def __call__(self, event: Event) -> None:
        self._board.take(event)
        match event:
            case RunStarted(environment, steps):
                self._write(f"{environment}: {count(len(steps), 'step')}")
            case StepStarted(name):
                self._line("start", self._board.rows[name])
            case StepEnded(name, _, outcome) if outcome != "skipped":
                self._line(outcome, self._board.rows[name], _ending(self._board.rows[name]))
            case RunEnded():
                self._write(_summary(self._board))
        if not isinstance(event, StepEnded | RunEnded):
            self._tell_what_is_due(event)

    def _tell_what_is_due(self, event: Event) -> None:
        """What was said too soon after the last line is told with a later event, if still true."""
        for row in self._board.rows.values():
            at, text = self._told.get(row.name, (0.0, ""))
            first = isinstance(event, StepSaid) and event.name == row.name and not text
            due = first or self._board.now - at >= QUIET
            if row.state == "running" and row.said not in ("", text) and due:
                self._line("", row, row.said)

    def _line(self, word: str, row: Row, text: str = "") -> None:
        self._told[row.name] = (self._board.now, row.said if text == row.said else "")
        line = f"{self._board.now:7.1f}  {word:<9}  {row.title}"
        self._write(cut(f"{line}: {text}" if text else line, WIDTH))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")  # one write a line: lines of two processes stay whole
        self._stream.flush()


def _ending(row: Row) -> str:
    if row.state == "failed":
        return row.note
    parts = [duration(row.seconds)]
    if row.changes:
        parts.append(row.changes[0] if len(row.changes) == 1 else count(len(row.changes), "change"))
    return ", ".join([*parts, row.note] if row.note else parts)


def _summary(board: Board) -> str:
    """ "31 steps in 48 s: 29 ready, 1 failed, 1 not started" """
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
