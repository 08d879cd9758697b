"""Server-side apply on plain JSON, good enough for tests: fields have owners, lists of named things
merge by their keys, what an owner no longer applies goes.

An object is kept as its leaves: path -> value. A path element is a field name, or the keys of a list's
item as a tuple of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[Any, ...]
Leaves = dict[Path, Any]

# Lists that merge by keys (x-kubernetes-list-map-keys in the API's schema); all others are atomic.
LIST_KEYS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "containers": (("name", None),),
    "initContainers": (("name", None),),
    "volumes": (("name", None),),
    "env": (("name", None),),
    "imagePullSecrets": (("name", None),),
    "volumeMounts": (("mountPath", None),),
    "webhooks": (("name", None),),
    "conditions": (("type", None),),
}
PORT_KEYS = (
    (("containerPort", None), ("protocol", "TCP")),
    (("port", None), ("protocol", "TCP")),
)


def flatten(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            if inner is not None:
                yield from flatten(inner, (*path, name))
    elif isinstance(value, list) and (keys := _keys(path, value)):
        for item in value:
            full = {name: default for name, default in keys if default is not None} | item
            element = tuple((name, full[name]) for name, _ in keys)
            yield from flatten(full, (*path, element))
    else:
        yield path, value


def unflatten(leaves: Leaves) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        place: Any = root
        for i, element in enumerate(path[:-1]):
            empty: Any = [] if isinstance(path[i + 1], tuple) else {}
            place = _enter(place, element, empty)
        if value in ({}, []):
            place.setdefault(path[-1], value)
        else:
            place[path[-1]] = value
    return root


def apply(
    live: Leaves, owners: Mapping[str, frozenset[Path]], manager: str, wanted: Leaves
) -> tuple[Leaves, dict[str, frozenset[Path]]]:
    """A forced apply: the new leaves, and who owns which."""
    others = {name: paths for name, paths in owners.items() if name != manager}
    dropped = owners.get(manager, frozenset()) - wanted.keys()
    kept = {path for paths in others.values() for path in paths}
    result = {path: value for path, value in live.items() if path not in dropped or path in kept}
    for path, value in wanted.items():
        below = [p for p in result if len(p) > len(path) and p[: len(path)] == path]
        if value not in ({}, []):
            for lower in below:
                del result[lower]
        if not (below and value in ({}, [])):
            result[path] = value
    lost = {path for path, value in wanted.items() if path in live and live[path] != value}
    new_owners = {name: frozenset(paths - lost) for name, paths in others.items()}
    new_owners[manager] = frozenset(wanted)
    return result, {name: paths for name, paths in new_owners.items() if paths}


def update(
    live: Leaves, owners: Mapping[str, frozenset[Path]], manager: str, edited: Leaves
) -> dict[str, frozenset[Path]]:
    """Who owns what after `manager` has written the whole object (kubectl edit)."""
    changed = {path for path, value in edited.items() if live.get(path, ...) != value}
    gone = live.keys() - edited.keys()
    result = {name: frozenset(paths - changed - gone) for name, paths in owners.items()}
    result[manager] = result.get(manager, frozenset()) | changed
    return {name: paths for name, paths in result.items() if paths}


def json_patch(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386): lists are replaced as a whole, null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = json_patch(result.get(name), value)
    return result


def _keys(path: Path, items: list[Any]) -> tuple[tuple[str, Any], ...]:
    field = path[-1] if path else None
    candidates = PORT_KEYS if field == "ports" else (LIST_KEYS.get(str(field), ()),)
    for keys in candidates:
        if keys and items and all(_has(item, keys) for item in items):
            return keys
    return ()


def _has(item: Any, keys: tuple[tuple[str, Any], ...]) -> bool:
    return isinstance(item, dict) and all(
        default is not None or name in item for name, default in keys
    )


def _enter(place: Any, element: Any, empty: Any) -> Any:
    if not isinstance(element, tuple):
        return place.setdefault(element, empty)
    for item in place:
        if all(item.get(name) == value for name, value in element):
            return item
    place.append(dict(element))
    return place[-1]
