"""What is missing until a Gateway, or a route of Gateway API, does its work, by its own conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.models import Cause, Object, ObjectRef

GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute")
KINDS = ("Gateway", *ROUTES)
STANDING_SECONDS = 10.0
"""A refusal that stands for this long is no matter of the order in which objects were applied."""

PENDING = "not taken up by a controller yet"


def is_gateway_kind(ref: ObjectRef) -> bool:
    """Others have kinds of these names too: Istio's Gateway."""
    return ref.kind in KINDS and ref.api_version.startswith(f"{GROUP}/")


def gateway_kinds(refs: Iterable[ObjectRef]) -> list[tuple[str, str]]:
    """(apiVersion, kind) of those among them, in the versions of the manifests."""
    found = ((ref.api_version, ref.kind) for ref in refs if is_gateway_kind(ref))
    return list(dict.fromkeys(found))


def fault(obj: Object, pods: Sequence[Object] = ()) -> str:
    """Empty when it is in effect; "Accepted: NotAllowedByListeners (...)" for what a controller refuses."""
    return _gateway(obj) if obj["kind"] == "Gateway" else _route(obj)


def _gateway(obj: Object) -> str:
    status = obj.get("status") or {}
    if _holds(obj, status, "Programmed"):
        return ""
    for listener in status.get("listeners") or ():
        for words in _refusals(obj, listener):
            return f"listener {listener.get('name')}: {words}"
    return next(_refusals(obj, status), PENDING)


def _route(obj: Object) -> str:
    statuses = (obj.get("status") or {}).get("parents") or ()
    for ref in (obj.get("spec") or {}).get("parentRefs") or ():
        if ref.get("kind", "Gateway") != "Gateway":
            continue
        where = f"Gateway {ref.get('namespace') or obj['metadata'].get('namespace')}/{ref['name']}"
        found: Mapping[str, Any] = next(
            (one for one in statuses if _same(ref, one["parentRef"], obj)), {}
        )
        for words in _refusals(obj, found):
            return f"{where}: {words}"
        if not (_holds(obj, found, "Accepted") and _holds(obj, found, "ResolvedRefs")):
            return f"{where}: {PENDING}"
    return ""


def _same(ref: Mapping[str, Any], other: Mapping[str, Any], route: Object) -> bool:
    namespace = route["metadata"].get("namespace")
    return all(
        (ref.get(key) or default) == (other.get(key) or default)
        for key, default in (
            ("name", ""),
            ("namespace", namespace),
            ("sectionName", ""),
            ("port", 0),
        )
    )


def _holds(obj: Object, status: Mapping[str, Any], kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in _current(obj, status))


def _refusals(obj: Object, status: Mapping[str, Any]) -> Iterator[str]:
    for one in _current(obj, status):
        bad = "True" if one["type"] == "Conflicted" else "False"
        if one["status"] == bad and one.get("reason") != "Pending":
            message = " ".join(str(one.get("message") or "").split())
            reason = f"{one['type']}: {one.get('reason')}"
            yield f"{reason} ({message})" if message else reason


def _current(obj: Object, status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Conditions that are about the object as it is now."""
    generation = obj["metadata"].get("generation", 0)
    conditions = status.get("conditions") or ()
    return [c for c in conditions if c.get("observedGeneration", generation) >= generation]


@dataclass
class Standing:
    """For how long which refusals stand."""

    _since: dict[ObjectRef, tuple[str, float]] = field(default_factory=dict)

    def cause(self, faults: Sequence[tuple[Object, str]], now: float) -> Cause | None:
        """Of the first refusal that has stood for a while: waiting longer would not help."""
        seen = {ObjectRef.of(obj): words for obj, words in faults if PENDING not in words}
        self._since = {
            ref: known if (known := self._since.get(ref)) and known[0] == words else (words, now)
            for ref, words in seen.items()
            if is_gateway_kind(ref)
        }
        for ref, (words, since) in self._since.items():
            if now - since >= STANDING_SECONDS:
                return Cause(
                    code="gateway-refused",
                    what=f"{ref} is refused by its controller",
                    fix="correct the manifest as the condition says, and kindctl up",
                    cites=(words,),
                    permanent=True,
                )
        return None
