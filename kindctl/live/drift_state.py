"""Turns the drift of a component's objects into the state of the step that applies them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kindctl.kube_objects import is_going
from kindctl.live.drift import Drift
from kindctl.live.readiness import users_of
from kindctl.models import Absent, Cause, Differs, NotReady, Ready, State
from kindctl.tools.protocols import Cluster


def state_of(drifts: Sequence[Drift], cluster: Cluster) -> State:
    """Return the state of the step that applies the objects. Objects that are being deleted are considered
    first, because their replacements cannot be applied until they are gone. Raises ApiError."""
    if going := [drift for drift in drifts if drift.is_being_deleted]:
        causes = [cause for drift in going if (cause := _claim_in_use(drift, cluster))]
        seen = "; ".join(f"{drift.ref} is being deleted{drift.waits_for}" for drift in going[:3])
        return NotReady(seen, causes[0] if causes else None)
    if absent := [str(drift.ref) for drift in drifts if drift.is_absent]:
        return Absent(f"{len(absent)} of {len(drifts)} objects: {few(absent)}")
    differing = [f"{drift.ref}: {few(drift.fields)}" for drift in drifts if drift.fields]
    differing += [str(drift.error) for drift in drifts if drift.error]
    if differing:
        return Differs(few(differing, "; "))
    if waiting := [f"{drift.ref}: {drift.waits_for}" for drift in drifts if drift.waits_for]:
        return NotReady(few(waiting, "; "))
    return Ready(f"{len(drifts)} objects")


def few(words: Iterable[str], separator: str = ", ") -> str:
    """Return a text with the first three words and, if there are more words, the number of the others."""
    several = list(words)
    more = f"{separator}and {len(several) - 3} more" if len(several) > 3 else ""
    return separator.join(several[:3]) + more


def _claim_in_use(drift: Drift, cluster: Cluster) -> Cause | None:
    """Return why a PersistentVolumeClaim has not been deleted: pods use it until the user deletes them."""
    if drift.ref.kind != "PersistentVolumeClaim":
        return None
    pods = [
        pod["metadata"]["name"]
        for pod in users_of(drift.obj, cluster.list("v1", "Pod", namespace=drift.ref.namespace))
        if not is_going(pod)
    ]
    if not pods:
        return None
    return Cause(
        code="being-deleted",
        what=f"{drift.ref} was deleted and is still used by {', '.join(pods)}",
        fix="save the data if you need it, then delete the pods that use the claim: "
        f"kubectl -n {drift.ref.namespace} delete pod {' '.join(pods)}, then run `kindctl up`",
        permanent=True,
    )
