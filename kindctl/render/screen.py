"""The four screens behind one interface, and which one it is."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Protocol, Self, TextIO

from kindctl.render.style import is_terminal
from kindctl.runner.events import Event


class Screen(Protocol):
    """Shows a run while it goes on. It owns the terminal between enter and exit."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was found, whatever has happened."""
        ...

    def __call__(self, event: Event) -> None:
        """Called for one event at a time, from any thread."""
        ...


def choose(output: str | None = None, stream: TextIO | None = None) -> Screen:
    """`output`: human, plain, json, or None: what suits the stream.

    Progress goes to standard error, so that standard output holds results alone; JSON lines are the
    result that was asked for, and go to standard output.
    """
    if output == "json":
        from kindctl.render.jsonlines import JsonLines

        return JsonLines(stream or sys.stdout)
    stream = stream or sys.stderr
    if output != "plain":
        if is_terminal(stream):
            from kindctl.render.live import Live

            return Live(stream)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from kindctl.render.github import GitHub

            return GitHub(stream)
    from kindctl.render.plain import Plain

    return Plain(stream)
