"""What `ingress.custom` names, found in its manifests; what is not there is refused with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.components.base import Setup
from kindctl.errors import ConfigError, Problem
from kindctl.kube_objects import api_group, is_tcp
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.pods import on_node
from kindctl.manifests.services import unreachable_reason
from kindctl.models import Exposure, Object, ObjectRef

WORKLOADS = {"deployment": "Deployment", "daemonset": "DaemonSet", "statefulset": "StatefulSet"}


@dataclass
class Brought:
    """`made_by_operator`: the workload of `ready`, where it is none of the manifests."""

    setup: Setup
    parsed: Sequence[Manifest]
    made_by_operator: ObjectRef | None = None
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, setup: Setup) -> Brought:
        """Raises ConfigError with every problem."""
        parsed = read_manifests(
            setup.root,
            setup.sources,
            setup.custom["namespace"],
            render=setup.render,
            entry_problem=lambda index, message, hint: setup.fault(
                ("manifests", index), message, hint
            ),
        )
        found = cls(setup, parsed)
        found._check_class()
        found._find_workload()
        found._check_ports()
        if found.problems:
            raise ConfigError(found.problems)
        return found

    @property
    def namespace(self) -> str:
        return str(self.setup.custom["namespace"])

    @property
    def service(self) -> str:
        return str(self.setup.custom["service"])

    @property
    def ingress_class(self) -> str:
        return str(self.setup.custom["ingressClass"])

    def way_in(self) -> Exposure:
        """Raises KeyError for a port that the Service does not have."""
        ports = tuple(
            (scheme, number, self._host_port(self._entries[number]))
            for scheme, number in self._ports
        )
        return self.setup.expose(self.namespace, self.service, ports)

    # --- what has to be there ---------------------------------------------------------------------

    def _check_class(self) -> None:
        """A class is an object of the cluster, and a new cluster has none."""
        known = [m.name for m in self.parsed if m.kind == "IngressClass"]
        if self.ingress_class not in known and self.setup.empty:
            hint = _closest(self.ingress_class, known, "IngressClass objects there")
            self._refuse(
                ("ingressClass",), f"no manifest has an IngressClass {self.ingress_class!r}", hint
            )

    def _find_workload(self) -> None:
        ready = self.setup.custom.get("ready")
        if not ready:
            return
        kind, _, name = str(ready).partition("/")
        there = {m.name for m in self._here(WORKLOADS[kind])}
        if name in there:
            return
        if any(_is_custom(manifest.obj) for manifest in self.parsed):
            self.made_by_operator = ObjectRef("apps/v1", WORKLOADS[kind], name, self.namespace)
            return
        hint = _closest(name, there, f"its {WORKLOADS[kind]}s in that namespace")
        message = f"no manifest has the {WORKLOADS[kind]} {self.namespace}/{name}"
        self._refuse(
            ("ready",), f"{message}, nor a custom resource of which one could be made", hint
        )

    def _check_ports(self) -> None:
        services = {m.name for m in self._here("Service")}
        if self.service not in services:
            elsewhere = [str(m) for m in self.parsed if m.kind == "Service"]
            hint = _closest(self.service, services, "there is", elsewhere)
            message = f"no manifest has a Service {self.namespace}/{self.service}"
            self._refuse(("service",), message, hint)
            return
        missing = [(scheme, n) for scheme, n in self._ports if n not in self._entries]
        for scheme, number in missing:
            has = ", ".join(map(str, self._entries)) or "none"
            none = "; `https: null` where there is no HTTPS" if scheme == "https" else ""
            message = f"Service {self.service!r} has no port {number}, for {scheme.upper()}"
            self._refuse(("ports", scheme), message, f"it has {has}{none}")
        if not missing:
            self._check_way()

    def _check_way(self) -> None:
        way = self.way_in()
        for scheme, number in self._ports:
            if fault := unreachable_reason(self._service(), self._entries[number], way):
                self._refuse(("service",), *fault)
                return
            if way.on_node and not self._host_port(self._entries[number]):
                message = (
                    f"no pod behind Service {self.service!r} has a port of its node for {scheme}"
                )
                hint = "hostPort in its container's ports; or ingress.expose.via: node-port"
                self._refuse(("ports", scheme), message, hint)
        numbers = [port.node_port for port in way.ports if way.on_node and port.node_port]
        if len(set(numbers)) < len(numbers):
            message = f"HTTP and HTTPS both lead to port {numbers[0]} of the node"
            self._refuse(("ports", "https"), message, "a hostPort for each, or `https: null`")

    def _refuse(self, at: Sequence[str | int], message: str, hint: str) -> None:
        self.problems.append(self.setup.fault(at, message, hint))

    # --- ports ------------------------------------------------------------------------------------

    @property
    def _ports(self) -> list[tuple[str, int]]:
        """(scheme, port of the Service)"""
        ports: Mapping[str, int | None] = self.setup.custom["ports"]
        return [(scheme, number) for scheme, number in ports.items() if number is not None]

    @property
    def _entries(self) -> dict[int, Object]:
        """Of the Service: number -> its TCP port."""
        ports = _spec(self._service().obj).get("ports") or ()
        return {int(port["port"]): port for port in ports if is_tcp(port)}

    def _host_port(self, port: Object) -> int:
        """The port of the node that leads to the same container's port as this one; 0: none."""
        target = port.get("targetPort", port["port"])
        return next((found for pod in self._pods() if (found := _on_node(pod, target))), 0)

    def _pods(self) -> Iterator[Object]:
        """Pod specs that the Service selects."""
        selector = _spec(self._service().obj).get("selector") or {}
        for manifest in self._here(*WORKLOADS.values()):
            template = _spec(manifest.obj).get("template") or {}
            labels = (template.get("metadata") or {}).get("labels") or {}
            if selector and selector.items() <= labels.items():
                yield _spec(template)

    def _service(self) -> Manifest:
        return next(m for m in self._here("Service") if m.name == self.service)

    def _here(self, *kinds: str) -> Iterator[Manifest]:
        return (m for m in self.parsed if m.kind in kinds and m.namespace == self.namespace)


def _spec(obj: Object) -> Object:
    return dict(obj.get("spec") or {})


def _on_node(pod: Object, target: Any) -> int:
    for _, number, port in on_node(pod):
        if is_tcp(port) and target in (port.get("name"), port.get("containerPort")):
            return number
    return target if pod.get("hostNetwork") and isinstance(target, int) else 0


def _is_custom(obj: Object) -> bool:
    """Of a kind that somebody has defined: an operator may make anything of it."""
    group = api_group(str(obj["apiVersion"]))
    return "." in group and not group.endswith(".k8s.io")


def _closest(name: str, known: Iterable[str], what: str, others: Iterable[str] = ()) -> str:
    known = sorted(known)
    if close := difflib.get_close_matches(name, known, 1):
        return f"did you mean {close[0]!r}?"
    return f"{what}: {', '.join(known or others) or 'none'}"
