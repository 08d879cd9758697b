"""Prepares the objects that components want in the cluster: adds namespaces and labels, and sorts them in
the order in which they are applied."""

from __future__ import annotations

import base64
import copy
from collections.abc import Collection, Iterable, Mapping, Sequence

from kindctl.components.base import Component
from kindctl.kube_objects import api_group, is_managed, labels_of, own_labels
from kindctl.manifests.checksum import with_checksums
from kindctl.manifests.pods import Resolve
from kindctl.models import COMPONENT_LABEL, Object, ObjectRef
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
"""Groups of kinds in the order in which they are applied. Kinds of one group may be applied
at the same time."""

RANKS = {kind: rank for rank, kinds in enumerate(ORDER) for kind in kinds}
CUSTOM = ORDER.index(())


def rank(kind: str) -> int:
    """Return the position of this kind in the order in which objects are applied."""
    return RANKS.get(kind, CUSTOM)


def desired(
    component: Component,
    cluster: Cluster,
    environment: str,
    resolve: Resolve,
    *,
    late: bool = False,
) -> list[Object]:
    """Return the component's objects, or its late objects if `late` is set, with `resolve` applied to their
    images. Raises ApiError."""
    made = component.late_objects(cluster) if late else component.objects(cluster, resolve)
    objects = [_stable(obj) for obj in _flat(made)]
    _fill_namespaces(objects, component.namespace, cluster)
    labels = own_labels(environment)
    elsewhere = component.left_to_others
    missing = [_namespace(name) for name in _missing_namespaces(objects, elsewhere, cluster)]
    for obj in objects:
        _label(obj, labels | {COMPONENT_LABEL: component.name})
    for obj in missing:
        _label(obj, labels)  # no component label: other components may use the namespace too
    return sorted(with_checksums(missing + objects), key=lambda obj: rank(obj["kind"]))


def inventory(
    components: Iterable[Component], cluster: Cluster, environment: str, *, late: bool = True
) -> list[ObjectRef]:
    """Return references to the objects that `everything` returns."""
    return [ObjectRef.of(obj) for obj in everything(components, cluster, environment, late=late)]


def everything(
    components: Iterable[Component], cluster: Cluster, environment: str, *, late: bool = True
) -> list[Object]:
    """Return all objects that these components want in the cluster, with or without their late objects.
    Images keep the names that the manifests give them. Raises ApiError."""
    return [
        obj
        for component in components
        for part in ((False, True) if late and component.has_late_objects else (False,))
        for obj in desired(component, cluster, environment, str, late=part)
    ]


def _flat(objects: Iterable[Object]) -> Iterable[Object]:
    for obj in objects:
        if obj.get("kind") == "List":
            yield from _flat(obj.get("items") or ())
        else:
            yield copy.deepcopy(obj)


def _stable(obj: Object) -> Object:
    """Return the object without fields that the API or the cluster would not keep as applied.

    The API does not keep `stringData`, so no field manager could own the values in it. A Job that deletes
    itself after it finishes would be absent, and every `up` would create it again.
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
    """Return the namespaces that the objects use but no manifest defines. Namespaces that already exist are
    included only if kindctl created them for this reason.

    `elsewhere` names the namespaces that other components define. They are left out, because applying a
    namespace without labels would remove the labels that those components set.
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
    """Whether a namespace does not exist, or was created by kindctl without a manifest and therefore has no
    component label."""
    return live is None or (is_managed(live) and COMPONENT_LABEL not in labels_of(live))


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _label(obj: Object, labels: Mapping[str, str]) -> None:
    """Set labels on the object itself only: labels on pod templates or selectors would restart or break
    workloads."""
    meta = obj["metadata"]
    if obj["kind"] == "Namespace" and meta["name"] in BUILT_IN_NAMESPACES:
        return  # prune and down must never delete it
    meta["labels"] = {**(meta.get("labels") or {}), **labels}
