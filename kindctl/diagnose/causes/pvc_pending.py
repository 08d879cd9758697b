"""A PersistentVolumeClaim is not bound, so the pods that use it cannot start."""

from __future__ import annotations

from kindctl.diagnose.evidence import Events, Evidence, strongest, title
from kindctl.models import Cause, Object

IMPOSSIBLE = ("not found", "no storage class is set")
NORMAL = "WaitForFirstConsumer"
INSTALLED_LATER = (None, "standard")
"""The default storage class. kind installs this class last. Claims that already exist then get this class
too (KEP-3333)."""


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(evidence, claim)
        for claim in evidence.claims
        if claim.get("status", {}).get("phase") == "Pending"
    )


def _cause(evidence: Evidence, claim: Object) -> Cause | None:
    about = evidence.events_about(claim).events
    events = Events([event for event in about if event.get("reason") != NORMAL])
    if not events:
        return None  # no pod uses it yet, or its volume is being created
    impossible = any(phrase in events.messages[0] for phrase in IMPOSSIBLE)
    wanted = claim.get("spec", {}).get("storageClassName")
    why = f": there is no storage class {wanted}" if impossible and wanted else ""
    return Cause(
        code="pvc-pending",
        what=f"{title({'kind': 'PersistentVolumeClaim', **claim})} is not bound{why}",
        fix="use the storage class `standard` or no class, or add the class to the manifests"
        if impossible
        else "check whether the provisioner of its storage class runs",
        cites=events.messages[:1],
        permanent=impossible and wanted not in INSTALLED_LATER,
        sure=0.9 if impossible else 0.6,
        since=events.last_seen,
    )
