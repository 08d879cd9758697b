"""What kind fixes when it makes a node, and the configuration now has otherwise (kind#2720, #3668)."""

from __future__ import annotations

from collections.abc import Mapping


def drift(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """In words, one difference each. Both: what a cluster was made for, as its nodes' label says it."""
    keys = [*now, *(key for key in was if key not in now)]
    return [
        _difference(key, was.get(key, "none"), now.get(key, "none"))
        for key in keys
        if _compared(key, was.get(key)) != _compared(key, now.get(key))
    ]


def _compared(key: str, value: str | None) -> object:
    return _ports(value or "") if key == "ports" else value


def _ports(text: str) -> frozenset[str]:
    """Their order is that of the file, and nothing to the node."""
    return frozenset(filter(None, text.split(", ")))


def _difference(key: str, was: str, now: str) -> str:
    """Of ports, those that are meant: a list of them has few readers."""
    if key != "ports":
        return f"{key} {was!r} is now {now!r}"
    old, new = _ports(was), _ports(now)
    parts = [f"{port} is not mapped" for port in sorted(new - old)]
    parts += [f"{port} is mapped, and no longer wanted" for port in sorted(old - new)]
    return "ports " + ", ".join(parts)
