"""`version`: show the versions of kindctl and of the tools that it uses."""

from __future__ import annotations

from collections.abc import Callable

from kindctl import __version__
from kindctl.errors import KindctlError
from kindctl.tools.protocols import Tools


def versions(tools: Tools) -> dict[str, str]:
    """Return a mapping from the name of each tool to its version. If a tool does not answer, its error in
    parentheses replaces the version."""
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
