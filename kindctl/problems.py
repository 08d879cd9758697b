"""Problems in a user's file before their place is known: the path of the field, the message and the
hint.

The code that has read the file adds the file, line and column, and makes an errors.Problem of it.
"""

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
    """One thing that is wrong at a field. `at_key` says that the key is wrong, and not its value."""

    path: FieldPath
    message: str
    hint: str = ""
    at_key: bool = False


def dotted(path: FieldPath) -> str:
    """Return the path as text: ("apps", 0, "name") -> "apps[0].name"."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint for an unknown name: the known name with the most similar spelling.

    If no name is similar, returns `otherwise`. If `otherwise` is empty, returns a list of the known names,
    or an empty text if `known` is empty.
    """
    names = list(known)
    if close := difflib.get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    return otherwise or (f"available: {', '.join(names)}" if names else "")


def refuse(problems: Iterable[Problem]) -> None:
    """Raise ConfigError with these problems, unless there are none."""
    if found := list(problems):
        raise ConfigError(found)


def every_result(make: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Call `make` with each item and return the results. Raises ConfigError with the problems of all
    calls."""
    results: list[R] = []
    problems: list[Problem] = []
    for item in items:
        try:
            results.append(make(item))
        except ConfigError as error:
            problems += error.problems
    refuse(problems)
    return results
