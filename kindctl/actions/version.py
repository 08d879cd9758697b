"""`version`: show the versions of kindctl and of the tools that it uses."""

from __future__ import annotations

from collections.abc import Callable

from kindctl import __version__
from kindctl.errors import KindctlError
from kindctl.tools.protocols import Tools


def versions(tools: Tools) -> dict[str, str]:
    """Return the version of each tool by the tool's name, or, in parentheses, the error of a tool that does
    not answer."""
    import platform

    def ask(question: Callable[[], str]) -> str:
        try:
            return question()
        except KindctlError as error:
            return f"({error.what})"

    return {
        "kindctl": __version__,
        "python": platform.python_version(),
        "engine": ask(lambda: f"{tools.engine.info().product} {tools.engine.info().version}"),
        "kind": ask(tools.kind.version),
    }
