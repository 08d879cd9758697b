"""`version`: of kindctl, and of what it drives here."""

from __future__ import annotations

from collections.abc import Callable

from kindctl import __version__
from kindctl.errors import KindctlError
from kindctl.tools.protocols import Tools


def versions(tools: Tools) -> dict[str, str]:
    import platform

    def asked(question: Callable[[], str]) -> str:
        try:
            return question()
        except KindctlError as error:
            return f"({error.what})"

    return {
        "kindctl": __version__,
        "python": platform.python_version(),
        "engine": asked(lambda: f"{tools.engine.info().product} {tools.engine.info().version}"),
        "kind": asked(tools.kind.version),
    }
