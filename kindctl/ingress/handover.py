"""What ingress controllers share so that one can take over from another.

Two pods cannot have the same port of a node, and two Services cannot have the same node port. So a new
controller starts without these ports, and takes them over once it is proven:

- host ports: the old controller is removed, then the new one's pods get the ports (a gap of some seconds)
- node ports: they belong to one Service, in a namespace that all bundled controllers share; it selects the
  pods of the controller in charge, and is switched to the new one while both run (no gap)
- node ports of a controller that the user brings, which has its own Service: as host ports

Ports of this machine that are forwarded to a controller's Service are switched while both run, too: see
steps/handover/takeover.py.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kindctl.ingress.entry_point import EntryPoint
from kindctl.kube_objects import environment_selector, labels_of, section
from kindctl.models import COMPONENT_LABEL, Exposure, Object, ObjectRef
from kindctl.tools.protocols import Cluster

NAMESPACE = "ingress"
"""The namespace of controllers that share node ports."""

SERVICE = "gateway"
"""The Service that has the node ports."""

ENTRY_POINT = EntryPoint(NAMESPACE, SERVICE)
"""The entry point of controllers that share node ports."""

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"))


class Handover:
    """Knows which other controllers of this environment are in charge. A controller is in charge if its
    pods use ports of a node, or if the shared Service selects its pods. A controller that merely runs is
    not in charge.

    `controllers` lists the component names of all controllers that exist. The cluster is asked only once.
    When this run itself changes which controllers are in charge, `over` is called.
    """

    def __init__(self, environment: str, controllers: Collection[str]) -> None:
        self.environment = environment
        self.controllers = frozenset(controllers)
        self._lock = threading.Lock()
        self._others: dict[str, frozenset[str]] = {}

    def others(self, cluster: Cluster, name: str) -> frozenset[str]:
        """Return the component names of the controllers other than `name` that are in charge. Raises
        ApiError."""
        with self._lock:
            if name not in self._others:
                self._others[name] = self._in_charge(cluster) - {name}
            return self._others[name]

    def over(self, name: str) -> None:
        """Remember that no controller other than `name` is in charge any longer."""
        with self._lock:
            self._others[name] = frozenset()

    def _in_charge(self, cluster: Cluster) -> frozenset[str]:
        labels = environment_selector(self.environment)
        selector = selector_in_charge(cluster)
        found = [
            obj
            for kind in WORKLOADS
            for obj in cluster.list(*kind, labels=labels)
            if _has_entry_point(obj, selector)
        ]
        found += [
            obj
            for obj in cluster.list("v1", "Service", labels=labels)
            if obj["spec"].get("type") == "NodePort" and obj["metadata"]["name"] != SERVICE
        ]
        components = {obj["metadata"]["labels"].get(COMPONENT_LABEL, "") for obj in found}
        return self.controllers & components


def selects(selector: Mapping[str, str], workload: Object) -> bool:
    """Return whether a Service with this selector leads to the pods of a workload. Returns False if the
    selector is empty, or if the object contains no pod template."""
    labels = labels_of(section(workload, "spec", "template"))
    return bool(selector) and selector.items() <= labels.items()


def _has_entry_point(workload: Object, selector: Mapping[str, str] | None) -> bool:
    """Return whether requests reach the pods of a workload, through ports of their node or through the
    shared Service. `selector` is the selector of the shared Service."""
    pod = workload["spec"]["template"]["spec"]
    if selects(selector or {}, workload) or pod.get("hostNetwork"):
        return True
    return any(
        "hostPort" in port
        for container in pod["containers"]
        for port in container.get("ports") or ()
    )


def shared_service(selector: Mapping[str, str], exposure: Exposure) -> Object:
    """Return the Service that has the node ports. It leads to the pods that `selector` selects."""
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
    """Return the selector of the shared Service in the cluster; None if the cluster has no shared Service.
    Raises ApiError."""
    live = cluster.get(ObjectRef("v1", "Service", SERVICE, NAMESPACE))
    return live["spec"].get("selector") if live else None


def is_shared(exposure: Exposure) -> bool:
    """Return whether the exposure leads to the shared Service."""
    return any((port.namespace, port.service) == (NAMESPACE, SERVICE) for port in exposure.ports)


def is_turned_over(exposure: Exposure, cluster: Cluster) -> bool:
    """Return whether a controller with this exposure takes over while the previous controller still runs.
    This is so if the shared Service exists. Raises ApiError."""
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
    """Move objects from namespace `old` into `new`, with all references to it."""
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
