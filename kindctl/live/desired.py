"""What a component wants in the cluster, ready to be applied: in namespaces, labelled, in order."""

from __future__ import annotations

import base64
import copy
from collections.abc import Collection, Iterable, Mapping, Sequence

from kindctl.components.base import Component
from kindctl.kube_objects import api_group
from kindctl.manifests.checksum import with_checksums
from kindctl.manifests.pods import Resolve
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    MANAGER,
    Object,
    ObjectRef,
)
from kindctl.tools.protocols import Cluster

BUILT_IN_NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}

ORDER: tuple[tuple[str, ...], ...] = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    (
        *("PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "GatewayClass"),
        *("ResourceQuota", "LimitRange", "NetworkPolicy"),
        *("ServiceAccount", "Secret", "ConfigMap", "ClusterRole", "Role", "PersistentVolume"),
    ),
    ("ClusterRoleBinding", "RoleBinding", "PersistentVolumeClaim", "Service"),
    (
        *("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"),
        *("PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress", "APIService"),
    ),
    (),  # everything else: custom resources
    (
        *("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    ),
)
"""Kinds that may be applied side by side, and what has to be there before them."""

RANKS = {kind: rank for rank, kinds in enumerate(ORDER) for kind in kinds}
CUSTOM = ORDER.index(())


def rank(kind: str) -> int:
    return RANKS.get(kind, CUSTOM)


def desired(
    component: Component,
    cluster: Cluster,
    environment: str,
    resolve: Resolve,
    *,
    late: bool = False,
) -> list[Object]:
    """`late`: the component's late objects instead of the others. Raises ApiError."""
    made = component.late_objects(cluster) if late else component.objects(cluster, resolve)
    objects = [_settled(obj) for obj in _flat(made)]
    _fill_namespaces(objects, component.namespace, cluster)
    labels = {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: environment}
    elsewhere = component.left_to_others
    missing = [_namespace(name) for name in _missing_namespaces(objects, elsewhere, cluster)]
    for obj in objects:
        _label(obj, labels | {COMPONENT_LABEL: component.name})
    for obj in missing:
        _label(obj, labels)  # of no component: others may use it too
    return sorted(with_checksums(missing + objects), key=lambda obj: rank(obj["kind"]))


def inventory(
    components: Iterable[Component], cluster: Cluster, environment: str, *, late: bool = True
) -> list[ObjectRef]:
    """The names of everything()."""
    return [ObjectRef.of(obj) for obj in everything(components, cluster, environment, late=late)]


def everything(
    components: Iterable[Component], cluster: Cluster, environment: str, *, late: bool = True
) -> list[Object]:
    """What these components want in the cluster, with or without their late objects. Which images
    serve is not asked: their names stand for them. Raises ApiError."""
    return [
        obj
        for component in components
        for part in ((False, True) if late and component.has_late_objects else (False,))
        for obj in desired(component, cluster, environment, _as_named, late=part)
    ]


def _as_named(image: str) -> str:
    return image


def _flat(objects: Iterable[Object]) -> Iterable[Object]:
    for obj in objects:
        if obj.get("kind") == "List":
            yield from _flat(obj.get("items") or ())
        else:
            yield copy.deepcopy(obj)


def _settled(obj: Object) -> Object:
    """Fields that would not stay as they are applied.

    `stringData` is not kept by the API, so nobody could own what it sets. A Job that removes itself
    after its end would be found absent, and run again with every `up`.
    """
    if obj["kind"] == "Secret" and (texts := obj.pop("stringData", None)):
        encoded = {name: base64.b64encode(str(t).encode()).decode() for name, t in texts.items()}
        obj["data"] = (obj.get("data") or {}) | encoded
    if obj["kind"] == "Job":
        obj.get("spec", {}).pop("ttlSecondsAfterFinished", None)
    return obj


def _fill_namespaces(objects: Sequence[Object], default: str, cluster: Cluster) -> None:
    scopes = {
        (api_group(version), kind): namespaced for version, kind, namespaced in cluster.kinds()
    }
    for obj in objects:
        if obj["kind"] == "CustomResourceDefinition":
            spec = obj["spec"]
            scopes[spec["group"], spec["names"]["kind"]] = spec.get("scope") == "Namespaced"
    for obj in objects:
        if scopes.get((api_group(obj["apiVersion"]), obj["kind"]), True):
            obj["metadata"].setdefault("namespace", default)
        else:
            obj["metadata"].pop("namespace", None)


def _missing_namespaces(
    objects: Sequence[Object], elsewhere: Collection[str], cluster: Cluster
) -> list[str]:
    """Namespaces that no manifest declares and that are not there, or were made here before.

    `elsewhere`: declared by other components. A bare one in their place would take their labels off.
    """
    declared = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Namespace"}
    used = dict.fromkeys(
        obj["metadata"]["namespace"] for obj in objects if "namespace" in obj["metadata"]
    )
    left = declared | BUILT_IN_NAMESPACES | set(elsewhere)
    return [
        name
        for name in used
        if name not in left and _is_undeclared(cluster.get(ObjectRef("v1", "Namespace", name)))
    ]


def _is_undeclared(live: Object | None) -> bool:
    """Absent, or made here for want of a manifest: then it is of no component."""
    labels = ((live or {}).get("metadata") or {}).get("labels") or {}
    return is_ours_or_absent(live) and COMPONENT_LABEL not in labels


def is_ours_or_absent(live: Object | None) -> bool:
    """By label, or by field manager where somebody has taken the label off."""
    if live is None or (live["metadata"].get("labels") or {}).get(MANAGED_LABEL) == MANAGER:
        return True
    managers = live["metadata"].get("managedFields") or ()
    return any(entry.get("manager") == MANAGER for entry in managers)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _label(obj: Object, labels: Mapping[str, str]) -> None:
    """On the object alone: labels on pod templates or selectors would roll or break workloads."""
    meta = obj["metadata"]
    if obj["kind"] == "Namespace" and meta["name"] in BUILT_IN_NAMESPACES:
        return  # prune and down must never take it for ours
    meta["labels"] = {**(meta.get("labels") or {}), **labels}
