"""What controllers share, so that one can take over from another.

Two pods cannot have the same port of a node, and two Services cannot have the same node port. So a new
controller starts without the way in; when it has been proven, it takes it over:

- host ports: the old one goes, then the new one's pods get the ports (a gap of some seconds)
- node ports: they belong to one Service, in a namespace that all controllers share then; it selects the
  pods of whoever is in charge, and is turned over to the new one while both run (no gap)
- node ports of a controller that the user brings, in a namespace of its own: as host ports

Ports of this machine that are forwarded to a controller's Service are turned over while both run, too: see
steps/handover/takeover.py.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kindctl.kube_objects import environment_selector
from kindctl.models import (
    COMPONENT_LABEL,
    Exposure,
    Object,
    ObjectRef,
)
from kindctl.tools.protocols import Cluster

NAMESPACE = "ingress"
"""Where controllers run whose node ports are shared."""

SERVICE = "gateway"
"""The Service that has the node ports."""

Place = tuple[str, str]
"""Namespace and name of a Service."""

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"))


class Handover:
    """Whether another controller of this environment has the way in: pods with ports of a node, or those
    that the shared Service selects. One that only runs has not.

    `controllers`: the component names of all controllers there are. Looked up in the cluster once: it
    changes when this run changes it, and then `over` is called.
    """

    def __init__(self, environment: str, controllers: Collection[str]) -> None:
        self.environment = environment
        self.controllers = frozenset(controllers)
        self._lock = threading.Lock()
        self._others: dict[str, frozenset[str]] = {}

    def others(self, cluster: Cluster, name: str) -> frozenset[str]:
        """Component names of the controllers beside `name` that have it. Raises ApiError."""
        with self._lock:
            if name not in self._others:
                self._others[name] = self._look(cluster) - {name}
            return self._others[name]

    def over(self, name: str) -> None:
        with self._lock:
            self._others[name] = frozenset()

    def _look(self, cluster: Cluster) -> frozenset[str]:
        labels = environment_selector(self.environment)
        selector = selector_in_charge(cluster)
        found = [
            obj
            for kind in WORKLOADS
            for obj in cluster.list(*kind, labels=labels)
            if _has_way_in(obj, selector)
        ]
        found += [
            obj
            for obj in cluster.list("v1", "Service", labels=labels)
            if obj["spec"].get("type") == "NodePort" and obj["metadata"]["name"] != SERVICE
        ]
        components = {obj["metadata"]["labels"].get(COMPONENT_LABEL, "") for obj in found}
        return self.controllers & components


def _has_way_in(workload: Object, selector: Mapping[str, str] | None) -> bool:
    template = workload["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and selector.items() <= labels.items():
        return True
    if template["spec"].get("hostNetwork"):
        return True
    return any(
        "hostPort" in port
        for container in template["spec"]["containers"]
        for port in container.get("ports") or ()
    )


def place(namespace: str, service: str, *, shared: bool) -> tuple[Place, Place]:
    """A controller's own Service, and the one by which requests come in: the same, if it is not shared."""
    if not shared:
        return (namespace, service), (namespace, service)
    return (NAMESPACE, service), (NAMESPACE, SERVICE)


def shared_services(in_charge: Mapping[str, str] | None, exposure: Exposure) -> Sequence[Object]:
    """Empty while a controller of the user's own has the node ports."""
    return [shared_service(in_charge, exposure)] if in_charge else []


def shared_service(selector: Mapping[str, str], exposure: Exposure) -> Object:
    """The Service with the node ports, leading to the pods that `selector` selects."""
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "namespace": NAMESPACE},
        "spec": {
            "type": "ClusterIP",
            "selector": dict(selector),
            "ports": [_port("http", 80), _port("https", 443)],
        },
    }
    exposure.shape(service)
    return service


def selector_in_charge(cluster: Cluster) -> Mapping[str, str] | None:
    """Which pods the shared Service leads to now. None: there is none yet. Raises ApiError."""
    live = cluster.get(ObjectRef("v1", "Service", SERVICE, NAMESPACE))
    return live["spec"].get("selector") if live else None


def is_shared(exposure: Exposure) -> bool:
    return any((port.namespace, port.service) == (NAMESPACE, SERVICE) for port in exposure.ports)


def is_turned_over(exposure: Exposure, cluster: Cluster) -> bool:
    """Whether a controller that is reached so gets the way in while the one before it still runs: the
    shared Service is there. Raises ApiError."""
    return is_shared(exposure) and selector_in_charge(cluster) is not None


def _port(name: str, number: int) -> Object:
    return {
        "name": name,
        "appProtocol": name,
        "protocol": "TCP",
        "port": number,
        "targetPort": name,
    }


def relocate(objects: Sequence[Object], old: str, new: str) -> None:
    """Move the objects of a controller from its usual namespace into another, references included."""
    for obj in objects:
        if obj["kind"] == "Namespace" and obj["metadata"]["name"] == old:
            obj["metadata"]["name"] = new
        _relocate(obj, old, new)


def _relocate(value: Any, old: str, new: str) -> None:
    if isinstance(value, dict):
        if value.get("namespace") == old:
            value["namespace"] = new
        for inner in value.values():
            _relocate(inner, old, new)
    elif isinstance(value, list):
        for inner in value:
            _relocate(inner, old, new)
