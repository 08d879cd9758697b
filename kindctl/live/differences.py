"""Finds the fields in which two Kubernetes objects differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SET_BY_SERVER = {
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
}
# Counts the changes of the spec, which are compared themselves.
ANNOTATION_OF_SERVER = "deprecated.daemonset.template.generation"
NAMES = ("name", "type", "mountPath", "containerPort", "port", "key", "ip")


def differences(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return the paths of fields that differ, such as spec.template.spec.containers[backend].image. The
    status and fields that only the server sets are ignored. The values are omitted because they may be
    secret."""
    return list(_differing(_comparable(live), _comparable(wanted), ""))


def _comparable(obj: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in obj.items() if name != "status"}
    meta = obj.get("metadata", {})
    kept["metadata"] = {name: meta[name] for name in meta if name not in SET_BY_SERVER}
    if annotations := meta.get("annotations"):
        others = {name: text for name, text in annotations.items() if name != ANNOTATION_OF_SERVER}
        kept["metadata"]["annotations"] = others
    return kept


def _differing(live: Any, wanted: Any, path: str) -> Iterator[str]:
    if live == wanted:
        return
    if isinstance(live, dict) and isinstance(wanted, dict):
        for name in sorted(live.keys() | wanted.keys()):
            yield from _differing(live.get(name), wanted.get(name), _field(path, name))
    elif isinstance(live, list) and isinstance(wanted, list) and (key := _key(live, wanted)):
        new, old = ({str(item[key]): item for item in items} for items in (wanted, live))
        names = [*new, *(name for name in old if name not in new)]
        inner = [
            found
            for name in names
            for found in _differing(old.get(name), new.get(name), f"{path}[{name}]")
        ]
        yield from inner or [path]  # the same items in another order
    else:
        yield path


def _key(*lists: Sequence[Any]) -> str | None:
    """Return the field that identifies the items in both lists, or None if there is no such field."""
    for key in NAMES:
        if all(
            items
            and all(isinstance(item, dict) and key in item for item in items)
            and len({str(item[key]) for item in items}) == len(items)
            for items in lists
        ):
            return key
    return None


def _field(path: str, name: str) -> str:
    if not name.replace("-", "").replace("_", "").isalnum():
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name
