"""A volume claim is not bound, and the pods that want it wait."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import events_of, happened, of, strongest, words
from kindctl.models import Cause, Object

CANNOT_BE = ("not found", "no storage class is set")
NORMAL = "WaitForFirstConsumer"
COMES = (None, "standard")
"""The default class, which kind installs last: a claim that was there before gets it then (KEP-3333)."""


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(evidence, claim)
        for claim in evidence.claims
        if claim.get("status", {}).get("phase") == "Pending"
    )


def _cause(evidence: Evidence, claim: Object) -> Cause | None:
    events = [event for event in events_of(evidence, claim) if event.get("reason") != NORMAL]
    if not events:
        return None  # nobody wants it yet, or it is being made
    message = events[0].get("message", "")
    impossible = any(phrase in message for phrase in CANNOT_BE)
    asked = claim.get("spec", {}).get("storageClassName")
    return Cause(
        code="pvc-pending",
        what=f"{of({'kind': 'PersistentVolumeClaim', **claim})} is not bound"
        + (f": there is no storage class {asked}" if impossible and asked else ""),
        fix="use the storage class `standard` or none at all, or add the class to the manifests"
        if impossible
        else "see whether the provisioner of its storage class runs",
        cites=words(events[:1]),
        permanent=impossible and asked not in COMES,
        sure=0.9 if impossible else 0.6,
        since=happened(events[0]),
    )
