"""The base class of the four screens."""

from __future__ import annotations

from typing import Self, TextIO

from kindctl.render.board import Board
from kindctl.runner.events import Event


class Screen:
    """Shows the progress of a run. A screen owns the terminal from enter to exit."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._board = Board()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Handle the next event of the run. Events come one at a time, from any thread."""
        self._board.take(event)
        self.show(event)

    def show(self, event: Event) -> None:
        """Show an event. The board is already up to date with it."""
        raise NotImplementedError

    def close(self) -> None:
        """Restore the terminal, whatever has happened. May be called twice."""

    def _write(self, *lines: str) -> None:
        # One write for all: lines of two processes that share the stream stay whole.
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()
