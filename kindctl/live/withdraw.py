"""Removes an environment from an existing cluster: the objects that kindctl applied there, and nothing
else."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError
from kindctl.kube_objects import is_going, is_managed, labels_of
from kindctl.live.applied import applied_objects, leftovers, remove
from kindctl.live.desired import CUSTOM, rank
from kindctl.live.record import read_record
from kindctl.models import ENVIRONMENT_LABEL, SYSTEM_NAMESPACE, Object, ObjectRef, Say
from kindctl.runner.polling import poll
from kindctl.tools.protocols import Cluster

GONE_SECONDS = 180.0


def withdraw(cluster: Cluster, environment: str, say: Say) -> Sequence[str]:
    """Remove the objects that kindctl applied for this environment, webhooks first, and wait until they are
    gone. Also wait for objects that an interrupted `down` has already deleted. A namespace is removed only
    if kindctl created it and it contains only kindctl's objects. `say` gets a line for each namespace that
    is kept. Returns one line for each object that was removed.

    Raises KindctlError (being-deleted) for objects that do not disappear in time, and ApiError.
    """
    applied = applied_objects(cluster, environment, being_deleted=True)
    # Custom objects go first, while their operators still run and handle their finalizers.
    custom = [ObjectRef.of(obj) for obj in applied if rank(obj["kind"]) >= CUSTOM]
    done = remove(cluster, custom)
    _await_gone(cluster, custom)
    going, notes = leftovers(cluster, environment, keep=frozenset(), used={SYSTEM_NAMESPACE})
    going += _unlabelled(cluster, environment, going)
    for note in notes:
        say(note)
    done += remove(cluster, going)
    _await_gone(cluster, [*going, *(ObjectRef.of(obj) for obj in applied if is_going(obj))])
    return done


def _unlabelled(cluster: Cluster, environment: str, found: Sequence[ObjectRef]) -> list[ObjectRef]:
    """Return the objects of the record's inventory that kindctl's field manager applied but that are not
    among `found`, because somebody has removed their label."""
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
    return ENVIRONMENT_LABEL not in labels_of(live) and not is_going(live) and is_managed(live)


def _await_gone(cluster: Cluster, refs: Sequence[ObjectRef]) -> None:
    """Wait until none of these objects exists any more. Raises KindctlError (being-deleted)."""
    left = list(refs)

    def still_present() -> list[ObjectRef]:
        left[:] = [ref for ref in left if cluster.get(ref) is not None]
        return left

    if poll(still_present, lambda refs: not refs, seconds=GONE_SECONDS, pause=(0.3, 0.6)):
        names = ", ".join(str(ref) for ref in left[:3])
        raise KindctlError(
            f"{names} {'is' if len(left) == 1 else 'are'} still being deleted",
            why="finalizers block the deletion, or pods still use the objects",
            fix="`kubectl describe` shows what blocks the deletion; fix that, then run "
            "`kindctl down` again",
            code="being-deleted",
        )
