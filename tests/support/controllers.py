"""Ingress controllers as they are in a cluster."""

from __future__ import annotations

from typing import Any

from kindctl.models import Object


def workload(component: str, namespace: str, *, host_ports: bool = True) -> Object:
    """The live Deployment of a controller of environment `shop`, with or without a host port."""
    port: dict[str, Any] = {"containerPort": 80, "name": "http"}
    labels = {
        "app.kubernetes.io/managed-by": "kindctl",
        "kindctl.dev/environment": "shop",
        "kindctl.dev/component": component,
    }
    container = {
        "name": "c",
        "image": "c:1",
        "ports": [port | ({"hostPort": 80} if host_ports else {})],
    }
    pod = {"metadata": {"labels": {"app": component}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": component}}, "template": pod}
    meta = {"name": component, "namespace": namespace, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
