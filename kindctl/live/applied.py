"""Finds by label the objects that kindctl applied to a cluster for an environment, and removes them in
order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from itertools import groupby

from kindctl.kube_objects import api_group, environment_selector, is_applied, is_going, labels_of
from kindctl.live.desired import rank
from kindctl.live.listing import in_parallel, list_kinds
from kindctl.models import COMPONENT_LABEL, MANAGED_LABEL, MANAGER, Object, ObjectRef
from kindctl.tools.protocols import Cluster

MADE_FOR_EACH = {  # Kubernetes makes these in every namespace, and programs write them at work
    *("Endpoints", "EndpointSlice", "Event", "Lease"),
    *("ConfigMap kube-root-ca.crt", "ServiceAccount default"),
}

_list = partial(list_kinds, skip_unlistable=True)

Identity = tuple[str, str, str | None, str]
"""The group, kind, namespace and name of an object. The API version is omitted, so the identity is the same
in all versions."""


def identity(ref: ObjectRef) -> Identity:
    return api_group(ref.api_version), ref.kind, ref.namespace, ref.name


def leftovers(
    cluster: Cluster, environment: str, *, keep: frozenset[Identity], used: Collection[str | None]
) -> tuple[list[ObjectRef], list[str]]:
    """Find the objects that kindctl applied for the environment and that are not in `keep`.

    Returns the objects to delete, and one line for each namespace or CustomResourceDefinition that is kept
    because others use it. `used` names the namespaces that are kept in any case.
    """
    found = [ObjectRef.of(obj) for obj in applied_objects(cluster, environment)]
    found = [ref for ref in found if identity(ref) not in keep]
    notes: list[str] = []
    going: set[str] = set()  # namespaces: what is in them goes with them
    staying: set[ObjectRef] = set()
    for ref in found:
        if ref.kind == "Namespace" and ref.name not in used:
            if foreign := _foreign_in_namespace(cluster, ref.name):
                notes.append(f"kept {ref}: it contains {', '.join(foreign[:3])}")
            else:
                going.add(ref.name)
        if ref.kind == "CustomResourceDefinition" and (foreign := _foreign_of_kind(cluster, ref)):
            notes.append(f"kept {ref}: it defines {', '.join(foreign[:3])}")
            staying.add(ref)
    to_delete = [
        ref
        for ref in found
        if (ref.name in going if ref.kind == "Namespace" else ref.namespace not in going)
        and ref not in staying
    ]
    return to_delete, notes


def applied_objects(
    cluster: Cluster, environment: str, *, being_deleted: bool = False
) -> list[Object]:
    """Return the objects that kindctl applied for this environment. Objects that are being deleted are
    included if `being_deleted` is set."""
    kinds = [kind[:2] for kind in cluster.kinds() if kind[1] != "Event"]
    found = [
        obj
        for obj in _list(cluster, kinds, labels=environment_selector(environment))
        if may_remove(obj)
    ]
    if being_deleted:
        return found
    emptied = {
        obj["metadata"]["name"] for obj in found if obj["kind"] == "Namespace" and is_going(obj)
    }
    return [
        obj
        for obj in found
        if not is_going(obj) and obj["metadata"].get("namespace") not in emptied
    ]


def remove(cluster: Cluster, refs: Iterable[ObjectRef]) -> list[str]:
    """Delete objects in the reverse of the order in which they are applied, so that webhooks go first.
    Return one line for each object that existed. Raises ApiError."""
    ordered = sorted(refs, key=lambda ref: (-rank(ref.kind), str(ref)))
    done: list[str] = []
    # a webhook that outlives its server would refuse everything that follows
    for _, same_rank in groupby(ordered, key=lambda ref: rank(ref.kind)):
        group = list(same_rank)
        deleted = in_parallel(cluster.delete, group)
        done += [f"removed {ref}" for ref, existed in zip(group, deleted, strict=True) if existed]
    return done


def may_remove(obj: Object) -> bool:
    """Whether kindctl may remove an object that has kindctl's labels.

    kindctl's field manager must have applied the object, since controllers copy labels from kindctl's
    objects to the objects that they create. The object's chart must not ask to keep it.
    """
    is_own = obj["kind"] == "Namespace" or COMPONENT_LABEL in labels_of(obj)
    return is_own and is_applied(obj) and not _is_kept_by_chart(obj)


def _is_kept_by_chart(obj: Object) -> bool:
    """Whether the object has Helm's annotation that forbids its removal:
    https://helm.sh/docs/howto/charts_tips_and_tricks/"""
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get("helm.sh/resource-policy")) == "keep"


def _foreign_in_namespace(cluster: Cluster, namespace: str) -> list[str]:
    """Return the objects in this namespace that somebody else created or that must be kept. Deleting the
    namespace would also delete these objects."""
    kinds = [kind[:2] for kind in cluster.kinds() if kind[2] and kind[1] not in MADE_FOR_EACH]
    names = [
        f"{obj['kind']} {obj['metadata']['name']}"
        for obj in _list(cluster, kinds, namespace=namespace)
        if (_is_unmanaged(obj) or _is_kept_by_chart(obj)) and not _has_owner(obj)
    ]
    return [name for name in names if name not in MADE_FOR_EACH]


def _foreign_of_kind(cluster: Cluster, definition: ObjectRef) -> list[str]:
    """Return the objects that others created of the kind that this CustomResourceDefinition defines.
    Deleting the definition would also delete these objects."""
    live = cluster.get(definition)
    if live is None:
        return []
    spec = live["spec"]
    version = next((v["name"] for v in spec["versions"] if v.get("served", True)), "")
    objects = _list(cluster, [(f"{spec['group']}/{version}", spec["names"]["kind"])])
    return [str(ObjectRef.of(obj)) for obj in objects if _is_unmanaged(obj) and not _has_owner(obj)]


def _is_unmanaged(obj: Object) -> bool:
    return labels_of(obj).get(MANAGED_LABEL) != MANAGER


def _has_owner(obj: Object) -> bool:
    return bool(obj["metadata"].get("ownerReferences"))
