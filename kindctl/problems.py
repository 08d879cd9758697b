"""What a problem in a user's file is made of: the path of the field, the words, and the guess at what was
meant. The file, line and column are added by whoever has read the file (errors.Problem)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from kindctl.errors import ConfigError, Problem

T = TypeVar("T")
R = TypeVar("R")

FieldPath = tuple[str | int, ...]
"""The keys and indexes that lead to a field of a document: ("apps", 0, "name")."""


class FieldProblem(NamedTuple):
    """One thing that is wrong at a field. `at_key`: the key is wrong, not its value."""

    path: FieldPath
    message: str
    hint: str = ""
    at_key: bool = False


def dotted(path: FieldPath) -> str:
    """("apps", 0, "name") -> "apps[0].name" """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint for a name that nothing has: the known name that is spelt most like it. If none is close,
    `otherwise`, by default a list of the known names, in their order; empty if nothing is known."""
    names = list(known)
    if close := difflib.get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    return otherwise or (f"available: {', '.join(names)}" if names else "")


def refuse(problems: Iterable[Problem]) -> None:
    """Raises ConfigError with the problems if there are any."""
    if found := list(problems):
        raise ConfigError(found)


def every_result(make: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What `make` returns for each item. Raises ConfigError with the problems of all items."""
    results: list[R] = []
    problems: list[Problem] = []
    for item in items:
        try:
            results.append(make(item))
        except ConfigError as error:
            problems += error.problems
    refuse(problems)
    return results
