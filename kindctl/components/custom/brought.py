"""Looks up in the user's manifests the objects that `ingress.custom` names, and reports every
problem with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kindctl.components.base import CustomSettings
from kindctl.errors import Problem
from kindctl.ingress.entry_point import EntryPoint, EntryPort
from kindctl.ingress.handover import selects
from kindctl.kube_objects import api_group, entries, is_tcp, section
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import on_node
from kindctl.manifests.services import unreachable_reason
from kindctl.models import Exposure, Object, ObjectRef
from kindctl.problems import did_you_mean
from kindctl.schema import CustomConfig

WORKLOADS = {"deployment": "Deployment", "daemonset": "DaemonSet", "statefulset": "StatefulSet"}


@dataclass(frozen=True)
class Brought:
    """A controller that the user brings, as kindctl.yaml and its manifests describe it."""

    settings: CustomSettings

    @property
    def entry_point(self) -> EntryPoint:
        """The Service of `ingress.custom`. A node port is 0 if no pod uses a port of its node, or
        if the Service or its port is missing, which `problems` reports."""
        ports = [
            EntryPort(scheme, n, self._node_port(n)) for scheme, n in self._wanted_ports.items()
        ]
        return EntryPoint(self._config.namespace, self._config.service, tuple(ports))

    @property
    def made_by_operator(self) -> ObjectRef | None:
        """The workload that `ready` names, if no manifest defines it and so an operator must create
        it."""
        if not self._config.ready:
            return None
        kind, name = self._ready
        if any(m.name == name for m in self._here(kind)):
            return None
        return ObjectRef("apps/v1", kind, name, self._config.namespace)

    def problems(self, exposure: Exposure, *, fresh_cluster: bool) -> list[Problem]:
        """Return everything that keeps the controller from working. `exposure` is the exposure of the
        entry point."""
        return [
            *self._class_problems(fresh_cluster=fresh_cluster),
            *self._workload_problems(),
            *self._service_problems(exposure),
        ]

    # --- problems ---------------------------------------------------------------------------------

    def _class_problems(self, *, fresh_cluster: bool) -> Iterator[Problem]:
        """Check that a manifest defines the IngressClass. An existing cluster is not checked, as it may
        already contain the class."""
        name = self._config.ingressClass
        known = [m.name for m in self.settings.manifests if m.kind == "IngressClass"]
        if fresh_cluster and name not in known:
            hint = _closest(name, known, "IngressClasses in your manifests")
            yield self.settings.problem(
                ("ingressClass",), f"no manifest defines IngressClass {name!r}", hint
            )

    def _workload_problems(self) -> Iterator[Problem]:
        missing = self.made_by_operator
        if missing is None or any(_is_custom(m.obj) for m in self.settings.manifests):
            return
        kind, name = self._ready
        no_operator = "nor a custom resource from which an operator could create it"
        message = f"no manifest defines {missing}, {no_operator}"
        known = {m.name for m in self._here(kind)}
        hint = _closest(
            name, known, f"{kind}s that your manifests define in namespace {self._config.namespace}"
        )
        yield self.settings.problem(("ready",), message, hint)

    def _service_problems(self, exposure: Exposure) -> Iterator[Problem]:
        service, name = self._service, self._config.service
        if service is None:
            known = {m.name for m in self._here("Service")}
            elsewhere = [str(m) for m in self.settings.manifests if m.kind == "Service"]
            hint = _closest(name, known, "Services in your manifests", elsewhere)
            message = f"no manifest defines Service {self._config.namespace}/{name}"
            yield self.settings.problem(("service",), message, hint)
            return
        missing = [(scheme, n) for scheme, n in self._wanted_ports.items() if n not in self._ports]
        for scheme, number in missing:
            has = ", ".join(map(str, self._ports)) or "none"
            no_https = "; set `https: null` if it serves no HTTPS" if scheme == "https" else ""
            message = f"Service {name!r} has no port {number} for {scheme.upper()}"
            yield self.settings.problem(
                ("ports", scheme), message, f"ports of the Service: {has}{no_https}"
            )
        if not missing:
            yield from self._exposure_problems(service, exposure)

    def _exposure_problems(self, service: Manifest, exposure: Exposure) -> Iterator[Problem]:
        for scheme, number in self._wanted_ports.items():
            if reason := unreachable_reason(service, self._ports[number], exposure):
                yield self.settings.problem(("service",), *reason)
                return
            if exposure.on_node and not self._node_port(number):
                message = (
                    f"no pod behind Service {service.name!r} has a hostPort for {scheme.upper()}"
                )
                hint = "set hostPort on the container port, or ingress.expose.via to node-port"
                yield self.settings.problem(("ports", scheme), message, hint)
        numbers = [port.node_port for port in exposure.ports if port.node_port]
        if exposure.on_node and len(set(numbers)) < len(numbers):
            message = f"HTTP and HTTPS both use port {numbers[0]} of the node"
            hint = "use a different hostPort for each, or set `https: null`"
            yield self.settings.problem(("ports", "https"), message, hint)

    # --- what the manifests have ------------------------------------------------------------------

    @property
    def _config(self) -> CustomConfig:
        return self.settings.config

    @property
    def _wanted_ports(self) -> dict[str, int]:
        return self._config.ports.by_scheme

    @property
    def _ready(self) -> tuple[str, str]:
        """The kind and name of the workload that `ready` names."""
        kind, _, name = (self._config.ready or "").partition("/")
        return WORKLOADS[kind], name

    @property
    def _service(self) -> Manifest | None:
        return next((m for m in self._here("Service") if m.name == self._config.service), None)

    @property
    def _ports(self) -> dict[int, Object]:
        """The Service's TCP ports by their numbers."""
        ports = entries(self._service.obj, "spec", "ports") if self._service else ()
        return {int(port["port"]): port for port in ports if is_tcp(port)}

    def _node_port(self, number: int) -> int:
        """Return the port of the node that leads to the same container port as this port of the Service.
        Returns 0 if no port of the node leads there."""
        if self._service is None or number not in self._ports:
            return 0
        target = self._ports[number].get("targetPort", number)
        selector = section(self._service.obj, "spec", "selector")
        pods = (
            section(workload.obj, "spec", "template", "spec")
            for workload in self._here(*WORKLOADS.values())
            if selects(selector, workload.obj)
        )
        return next((found for pod in pods if (found := _port_of_node(pod, target))), 0)

    def _here(self, *kinds: str) -> Iterator[Manifest]:
        """Return the manifests of these kinds in the controller's namespace."""
        return (
            m
            for m in self.settings.manifests
            if m.kind in kinds and m.namespace == self._config.namespace
        )


def _port_of_node(pod: Object, target: Any) -> int:
    """Return the port of the node that a pod spec maps to the container port `target` (a name or a
    number). Returns 0 if the pod spec maps none."""
    for _, number, port in on_node(pod):
        if is_tcp(port) and target in (port.get("name"), port.get("containerPort")):
            return number
    return target if pod.get("hostNetwork") and isinstance(target, int) else 0


def _is_custom(obj: Object) -> bool:
    """Return whether this is a custom resource, from which an operator may create anything."""
    group = api_group(str(obj["apiVersion"]))
    return "." in group and not group.endswith(".k8s.io")


def _closest(name: str, known: Iterable[str], what: str, others: Iterable[str] = ()) -> str:
    """Return a hint about a wrong name. The hint is the most similar known name. If no name is similar,
    the hint lists all `known` names, or, if `known` is empty, the `others`."""
    known = sorted(known)
    return did_you_mean(name, known, f"{what}: {', '.join(known or others) or 'none'}")
