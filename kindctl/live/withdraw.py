"""Leaving a cluster that stays: what kindctl applied there goes, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError
from kindctl.kube_objects import is_going
from kindctl.live.applied import applied, remove, surplus_of
from kindctl.live.desired import CUSTOM, is_ours_or_absent, rank
from kindctl.live.record import read_record
from kindctl.models import ENVIRONMENT_LABEL, SYSTEM_NAMESPACE, Object, ObjectRef, Say
from kindctl.tools.protocols import Cluster

GONE_SECONDS = 180.0


def withdraw(cluster: Cluster, environment: str, say: Say) -> Sequence[str]:
    """Remove what this environment applied, webhooks first, and wait until it is gone, also for what an
    earlier `down` that was stopped has deleted; what was removed, one line each. A namespace goes only if
    it is ours and has nothing of others.

    Raises KindctlError (being-deleted) for what does not go; ApiError.
    """
    there = applied(cluster, environment)
    # while their operators run, whose finalizers see to what belongs to them
    custom = [ObjectRef.of(obj) for obj in there if rank(obj["kind"]) >= CUSTOM]
    done = remove(cluster, custom)
    _await_gone(cluster, custom)
    going, stays = surplus_of(cluster, environment, keep=frozenset(), used={SYSTEM_NAMESPACE})
    going += _unlabelled(cluster, environment, going)
    for reason in stays:
        say(reason)
    done += remove(cluster, going)
    _await_gone(cluster, [*going, *(ObjectRef.of(obj) for obj in there if is_going(obj))])
    return done


def _unlabelled(cluster: Cluster, environment: str, found: Sequence[ObjectRef]) -> list[ObjectRef]:
    """What the record says we applied and our field manager has applied, though its label is off."""
    record = read_record(cluster)
    if record is None or record.environment != environment:
        return []
    spaces = {ref.name for ref in found if ref.kind == "Namespace"}
    rest = [
        ref
        for ref in record.inventory
        if ref not in found and ref.namespace not in spaces and ref.kind != "Namespace"
    ]
    return [ref for ref in rest if (live := cluster.get(ref)) and _lost_its_label(live)]


def _lost_its_label(live: Object) -> bool:
    meta = live["metadata"]
    if ENVIRONMENT_LABEL in (meta.get("labels") or {}) or is_going(live):
        return False
    return is_ours_or_absent(live)


def _await_gone(cluster: Cluster, refs: Sequence[ObjectRef]) -> None:
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_random

    left = list(refs)

    def still_there() -> list[ObjectRef]:
        left[:] = [ref for ref in left if cluster.get(ref) is not None]
        return left

    retrying = Retrying(
        retry=retry_if_result(bool), wait=wait_random(0.3, 0.6), stop=stop_after_delay(GONE_SECONDS)
    )
    try:
        retrying(still_there)
    except RetryError:
        names = ", ".join(str(ref) for ref in left[:3])
        raise KindctlError(
            f"{names} {'is' if len(left) == 1 else 'are'} being deleted and not gone yet",
            why="finalizers hold it, or pods that use it have not ended",
            fix="kubectl describe says what holds it; then kindctl down goes on",
            code="being-deleted",
        ) from None
