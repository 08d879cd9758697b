"""Chooses the screen that suits the output's destination."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from kindctl.render.github import GitHub
from kindctl.render.jsonlines import JsonLines
from kindctl.render.live import Live
from kindctl.render.plain import Plain
from kindctl.render.screen import Screen
from kindctl.render.style import is_terminal


def choose_screen(output: str | None = None, stream: TextIO | None = None) -> Screen:
    """Return the screen for `output` (human, plain or json). If `output` is None, return the screen that
    suits the stream.

    Progress goes to standard error, so that standard output contains only results. JSON lines are
    themselves the result, so they go to standard output.
    """
    if output == "json":
        return JsonLines(stream or sys.stdout)
    stream = stream or sys.stderr
    if output == "plain":
        return Plain(stream)
    if is_terminal(stream):
        return Live(stream)
    return GitHub(stream) if os.environ.get("GITHUB_ACTIONS") == "true" else Plain(stream)
