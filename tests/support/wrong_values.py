"""Values of every type, and the places of a document to put them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

WRONG: list[Any] = ["x", 7, True, None, [None], {"x": ["y"]}]
"""A value of each type that JSON has, alone or in a collection."""


def places(part: Any) -> Iterator[tuple[str | int, ...]]:
    """The path (keys and indexes) of every value inside a mapping or list, however deep."""
    pairs = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in pairs:
        yield (key,)
        if isinstance(value, dict | list):
            yield from ((key, *rest) for rest in places(value))


def put(obj: Any, at: tuple[str | int, ...], value: Any) -> None:
    """Replace what stands at a path."""
    for key in at[:-1]:
        obj = obj[key]
    obj[at[-1]] = value
