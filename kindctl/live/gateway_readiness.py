"""Finds in the conditions of a Gateway API object (a Gateway or a route) why it is not ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.kube_objects import entries, namespace_of, section
from kindctl.models import Cause, Object, ObjectRef

GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute")
KINDS = ("Gateway", *ROUTES)
LASTING_SECONDS = 10.0
"""A refusal that lasts this long is not due to the order in which objects were applied."""

PENDING = "no controller has accepted it yet"


def is_gateway_kind(ref: ObjectRef) -> bool:
    """Whether this is an object of Gateway API. The kind is not enough: Istio's API, for example, has a
    Gateway too."""
    return ref.kind in KINDS and ref.api_version.startswith(f"{GROUP}/")


def gateway_kinds(refs: Iterable[ObjectRef]) -> list[tuple[str, str]]:
    """Return the (apiVersion, kind) of each Gateway API object in `refs`, without duplicates."""
    found = ((ref.api_version, ref.kind) for ref in refs if is_gateway_kind(ref))
    return list(dict.fromkeys(found))


def unready_reason(obj: Object, pods: Sequence[Object] = ()) -> str:
    """Return why the object is not in effect, or an empty string if it is in effect. If a controller
    rejects the object, the text is, for example, "Accepted: NotAllowedByListeners (...)". `pods` is not
    used."""
    return _gateway(obj) if obj["kind"] == "Gateway" else _route(obj)


def _gateway(obj: Object) -> str:
    status = section(obj, "status")
    if _holds(obj, status, "Programmed"):
        return ""
    for listener in entries(status, "listeners"):
        for words in _refusals(obj, listener):
            return f"listener {listener.get('name')}: {words}"
    return next(_refusals(obj, status), PENDING)


def _route(obj: Object) -> str:
    statuses = entries(obj, "status", "parents")
    for ref in entries(obj, "spec", "parentRefs"):
        if ref.get("kind", "Gateway") != "Gateway":
            continue
        where = f"Gateway {ref.get('namespace') or namespace_of(obj)}/{ref['name']}"
        found: Mapping[str, Any] = next(
            (s for s in statuses if _is_same_parent(ref, s["parentRef"], obj)), {}
        )
        for words in _refusals(obj, found):
            return f"{where}: {words}"
        if not (_holds(obj, found, "Accepted") and _holds(obj, found, "ResolvedRefs")):
            return f"{where}: {PENDING}"
    return ""


def _is_same_parent(ref: Mapping[str, Any], other: Mapping[str, Any], route: Object) -> bool:
    """Whether two parent references of a route, one in its spec and one in its status, refer to the same
    parent."""
    defaults = {"name": "", "namespace": namespace_of(route), "sectionName": "", "port": 0}
    return all(
        (ref.get(key) or default) == (other.get(key) or default)
        for key, default in defaults.items()
    )


def _holds(obj: Object, status: Mapping[str, Any], kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in _current(obj, status))


def _refusals(obj: Object, status: Mapping[str, Any]) -> Iterator[str]:
    for condition in _current(obj, status):
        bad = "True" if condition["type"] == "Conflicted" else "False"
        if condition["status"] == bad and condition.get("reason") != "Pending":
            message = " ".join(str(condition.get("message") or "").split())
            reason = f"{condition['type']}: {condition.get('reason')}"
            yield f"{reason} ({message})" if message else reason


def _current(obj: Object, status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the conditions in `status` that are about the latest change of the object."""
    generation = obj["metadata"].get("generation", 0)
    conditions = entries(status, "conditions")
    return [c for c in conditions if c.get("observedGeneration", generation) >= generation]


@dataclass
class LastingRefusals:
    """Remembers which objects controllers reject, and since when."""

    _since: dict[ObjectRef, tuple[str, float]] = field(default_factory=dict)

    def cause(self, unready: Sequence[tuple[Object, str]], now: float) -> Cause | None:
        """Return the cause for the first rejection that has lasted LASTING_SECONDS, because waiting longer
        would not help. Return None if no rejection has lasted that long. `unready` contains objects and the
        result of `unready_reason` for each of them; `now` is in seconds."""
        reasons = {ObjectRef.of(obj): words for obj, words in unready if PENDING not in words}
        self._since = {
            ref: known if (known := self._since.get(ref)) and known[0] == words else (words, now)
            for ref, words in reasons.items()
            if is_gateway_kind(ref)
        }
        for ref, (words, since) in self._since.items():
            if now - since >= LASTING_SECONDS:
                return Cause(
                    code="gateway-refused",
                    what=f"{ref} was rejected by its controller",
                    fix="fix what the condition above reports in the manifest, then run `kindctl up`",
                    cites=(words,),
                    permanent=True,
                )
        return None
