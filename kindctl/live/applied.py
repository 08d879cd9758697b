"""What kindctl has applied to a cluster for an environment: found by label, and removed in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from kindctl.errors import ApiError
from kindctl.kube_objects import api_group, environment_selector, is_going
from kindctl.live.desired import rank
from kindctl.models import COMPONENT_LABEL, MANAGED_LABEL, MANAGER, Object, ObjectRef
from kindctl.tools.protocols import Cluster

THREADS = 8
UNLISTABLE = {403, 405, 503}  # not for this user, not at all, or its API server is away
MADE_FOR_EACH = {  # in every namespace, or written by whatever runs in it
    *("Endpoints", "EndpointSlice", "Event", "Lease"),
    *("ConfigMap kube-root-ca.crt", "ServiceAccount default"),
}

Identity = tuple[str, str, str | None, str]  # group, kind, namespace, name: versions are views


def surplus_of(
    cluster: Cluster, environment: str, *, keep: frozenset[Identity], used: Collection[str | None]
) -> tuple[list[ObjectRef], list[str]]:
    """What of the environment is to be deleted, and what stays and why: namespaces and definitions that
    others use. `used`: namespaces that stay in any case."""
    found = [ref for ref, _ in ours(cluster, environment) if identity(ref) not in keep]
    stays: list[str] = []
    going: set[str] = set()
    staying: set[ObjectRef] = set()
    for ref in found:
        if ref.kind == "Namespace" and ref.name not in used:
            if others := _others(cluster, ref.name):
                stays.append(f"{ref} stays: it has {', '.join(others[:3])}")
            else:
                going.add(ref.name)
        if ref.kind == "CustomResourceDefinition" and (others := _others_of(cluster, ref)):
            stays.append(f"{ref} stays: it defines {', '.join(others[:3])}")
            staying.add(ref)
    surplus = [
        ref
        for ref in found
        if (ref.name in going if ref.kind == "Namespace" else ref.namespace not in going)
        and ref not in staying
    ]
    return surplus, stays


def ours(cluster: Cluster, environment: str) -> list[tuple[ObjectRef, Mapping[str, str]]]:
    """What kindctl applied for this environment and nobody is deleting, each with its labels."""
    found = applied(cluster, environment)
    emptied = {
        obj["metadata"]["name"] for obj in found if obj["kind"] == "Namespace" and is_going(obj)
    }
    return [
        (ObjectRef.of(obj), obj["metadata"]["labels"])
        for obj in found
        if not is_going(obj) and obj["metadata"].get("namespace") not in emptied
    ]


def applied(cluster: Cluster, environment: str) -> list[Object]:
    """What kindctl applied for this environment, with what is being deleted."""
    labels = environment_selector(environment)
    kinds = [kind[:2] for kind in cluster.kinds() if kind[1] != "Event"]
    with ThreadPoolExecutor(THREADS) as pool:
        lists = pool.map(lambda kind: _listed(cluster, *kind, labels=labels), kinds)
        return [obj for objects in lists for obj in objects if is_applied(obj)]


def remove(cluster: Cluster, surplus: Iterable[ObjectRef]) -> list[str]:
    """Delete these, in the order in which that does no harm; what was there is named. Raises ApiError."""
    ordered = sorted(surplus, key=lambda ref: (-rank(ref.kind), str(ref)))
    done: list[str] = []
    with ThreadPoolExecutor(THREADS) as pool:
        # a webhook that outlives its server would refuse everything that follows
        for _, same in groupby(ordered, key=lambda ref: rank(ref.kind)):
            some = list(same)
            deleted = pool.map(cluster.delete, some)
            done += [f"removed {ref}" for ref, there in zip(some, deleted, strict=True) if there]
    return done


def is_applied(obj: Object) -> bool:
    """By us, as its label says: controllers copy labels to what they make of our objects. What its chart
    wants to be kept is no longer ours to remove."""
    meta = obj["metadata"]
    if _is_kept(obj):
        return False
    managers = {entry.get("manager") for entry in meta.get("managedFields") or ()}
    return MANAGER in managers and (obj["kind"] == "Namespace" or COMPONENT_LABEL in meta["labels"])


def _is_kept(obj: Object) -> bool:
    """As Helm asks of those who uninstall: https://helm.sh/docs/howto/charts_tips_and_tricks/"""
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get("helm.sh/resource-policy")) == "keep"


def _others(cluster: Cluster, namespace: str) -> list[str]:
    """What somebody else has put into a namespace, or is to be kept: deleting it would take that too."""
    kinds = [kind[:2] for kind in cluster.kinds() if kind[2] and kind[1] not in MADE_FOR_EACH]
    with ThreadPoolExecutor(THREADS) as pool:
        lists = pool.map(lambda kind: _listed(cluster, *kind, namespace=namespace), kinds)
        return [
            f"{obj['kind']} {obj['metadata']['name']}"
            for objects in lists
            for obj in objects
            if (
                (obj["metadata"].get("labels") or {}).get(MANAGED_LABEL) != MANAGER or _is_kept(obj)
            )
            and not obj["metadata"].get("ownerReferences")
            and f"{obj['kind']} {obj['metadata']['name']}" not in MADE_FOR_EACH
        ]


def _others_of(cluster: Cluster, definition: ObjectRef) -> list[str]:
    """Objects of others that go with the definition of their kind."""
    live = cluster.get(definition)
    if live is None:
        return []
    spec = live["spec"]
    version = next((v["name"] for v in spec["versions"] if v.get("served", True)), "")
    objects = _listed(cluster, f"{spec['group']}/{version}", spec["names"]["kind"])
    return [
        str(ObjectRef.of(obj))
        for obj in objects
        if (obj["metadata"].get("labels") or {}).get(MANAGED_LABEL) != MANAGER
        and not obj["metadata"].get("ownerReferences")
    ]


def _listed(
    cluster: Cluster,
    api_version: str,
    kind: str,
    *,
    namespace: str | None = None,
    labels: str = "",
) -> Iterable[Object]:
    try:
        return cluster.list(api_version, kind, namespace=namespace, labels=labels)
    except ApiError as error:
        if error.status in UNLISTABLE:
            return ()
        raise


def identity(ref: ObjectRef) -> Identity:
    return api_group(ref.api_version), ref.kind, ref.namespace, ref.name
