"""Manifests that the tests of the steps apply: one object of most kinds."""

from __future__ import annotations

import copy
from typing import Any

from kindctl.models import Object, ObjectRef

NAMESPACE = "shop"


def manifest(api_version: str, kind: str, name: str = "web", **body: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **body}


def template(**container: Any) -> Object:
    labels = {"app": "web"}
    spec = {"containers": [{"name": "web", "image": "web:1", **container}]}
    return {"metadata": {"labels": labels}, "spec": spec}


def workload(kind: str, name: str = "web", **spec: Any) -> Object:
    selector = {"matchLabels": {"app": "web"}}
    body = {"selector": selector, "template": template(), **spec}
    return manifest("apps/v1", kind, name, spec=body)


def deployment(**spec: Any) -> Object:
    return workload("Deployment", **{"replicas": 1, **spec})


def job(name: str = "migrate") -> Object:
    once = template()
    once["spec"]["restartPolicy"] = "Never"
    return manifest("batch/v1", "Job", name, spec={"template": once, "backoffLimit": 1})


def service() -> Object:
    return manifest("v1", "Service", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})


def ingress() -> Object:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    spec = {"ingressClassName": "nginx", "defaultBackend": backend}
    return manifest("networking.k8s.io/v1", "Ingress", spec=spec)


def claim() -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return manifest("v1", "PersistentVolumeClaim", "data", spec=spec)


def autoscaler(least: int = 1, most: int = 5) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most}
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


def crd() -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    spec = {
        "group": "shop.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
    }
    return manifest(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.shop.example.com", spec=spec
    )


def widget() -> Object:
    return manifest("shop.example.com/v1", "Widget", spec={"size": 3})


def webhook() -> Object:
    """A webhook without rules: it is never called."""
    hook = {
        "name": "check.shop.example.com",
        "failurePolicy": "Fail",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    api_version = "admissionregistration.k8s.io/v1"
    return manifest(api_version, "ValidatingWebhookConfiguration", webhooks=[hook])


def everything() -> list[Object]:
    """Return one object of each kind, valid for a real API server, in an order in which they cannot be
    applied."""
    rbac = "rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]

    def to(kind: str) -> Object:
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "web"}

    return [
        webhook(),
        widget(),
        ingress(),
        autoscaler(),
        deployment(),
        workload("StatefulSet", "queue", serviceName="queue"),
        workload("DaemonSet", "agent"),
        job(),
        service(),
        claim(),
        manifest(rbac, "RoleBinding", roleRef=to("Role")),
        manifest(rbac, "Role", rules=rules),
        manifest(rbac, "ClusterRoleBinding", roleRef=to("ClusterRole")),
        manifest(rbac, "ClusterRole", rules=rules),
        manifest("v1", "ConfigMap", "settings", data={"colour": "green"}),
        manifest("v1", "Secret", "password", stringData={"password": "generated"}),
        manifest("v1", "ServiceAccount"),
        manifest("networking.k8s.io/v1", "IngressClass", "nginx", spec={"controller": "k8s.io/x"}),
        manifest("scheduling.k8s.io/v1", "PriorityClass", "high", value=1000),
        crd(),
        manifest("v1", "Namespace", NAMESPACE),
    ]


def ref(obj: Object) -> ObjectRef:
    """Return a reference to a manifest's object: in the namespace of the shop unless it belongs to none."""
    found = ObjectRef.of(obj)
    free = {
        *("Namespace", "CustomResourceDefinition", "IngressClass", "PriorityClass"),
        *("ClusterRole", "ClusterRoleBinding", "ValidatingWebhookConfiguration"),
    }
    namespace = None if found.kind in free else NAMESPACE
    return ObjectRef(found.api_version, found.kind, found.name, namespace)


ALTERATIONS: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "ConfigMap": (("data", "colour"), "red"),
    "Secret": (("data", "password"), "c3RvbGVu"),
    "Deployment": (("spec", "template", "spec", "containers", 0, "image"), "other:1"),
    "StatefulSet": (("spec", "template", "spec", "containers", 0, "image"), "other:1"),
    "DaemonSet": (("spec", "template", "spec", "containers", 0, "image"), "other:1"),
    "Job": (("spec", "backoffLimit"), 5),
    "Service": (("spec", "selector"), {"app": "other"}),
    "Ingress": (("spec", "ingressClassName"), "other"),
    "HorizontalPodAutoscaler": (("spec", "maxReplicas"), 50),
    "Role": (("rules",), []),
    "ClusterRole": (("rules",), []),
    "Widget": (("spec", "size"), 4),
    "ValidatingWebhookConfiguration": (("webhooks", 0, "failurePolicy"), "Ignore"),
}
LABEL = (
    ("metadata", "labels", "kindctl.dev/environment"),
    "another",
)  # where nothing else can change


def altered(obj: Object) -> Object:
    """Return a copy with another value in one field that the manifest sets."""
    changed = copy.deepcopy(obj)
    (*path, last), value = ALTERATIONS.get(obj["kind"], LABEL)
    place: Any = changed
    for element in path:
        place = place[element]
    place[last] = value
    return changed
