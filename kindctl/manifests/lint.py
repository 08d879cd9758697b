"""What can be known to go wrong before anything is applied. Pure functions over the apps' manifests.

A finding of level `error` is certain to fail, so nothing is applied; a `warning` is said and left.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.errors import Problem
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import containers, is_latest, on_node
from kindctl.manifests.routes import class_of, has_regex, redirected_hosts, rules

ERROR, WARNING = "error", "warning"

PLAIN_PATH = re.compile(r"^/[A-Za-z0-9._/-]*$")
"""What ingress-nginx admits under Prefix and Exact with strict-validate-path-type."""

NODE_PORTS = range(30000, 32768)
"""The API server's default --service-node-port-range."""

STATIC_NODE_PORTS = range(30000, 30086)
"""Of these the API server takes none by itself as long as it has others (KEP-3668)."""

WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet")


@dataclass(frozen=True)
class Finding:
    level: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.level}: {self.problem}"


@dataclass(frozen=True)
class LintContext:
    """What the apps will find in the cluster."""

    ingress_classes: Collection[str] = ("nginx",)  # empty: no controller
    controllers: Sequence[Manifest] = ()  # that the user brings for the controller
    host_ports: Mapping[int, str] = field(default_factory=dict)  # port of a node -> who has it
    https: int = 443  # port of the host
    metrics: bool = False  # whether metrics-server is there
    addresses: bool = True  # whether somebody gives external addresses to Services
    other_types: Collection[tuple[str, str]] = ()  # Services whose type becomes another one
    built: Collection[str] = ()  # images that are built here, as manifests name them


def lint(apps: Mapping[str, Sequence[Manifest]], around: LintContext) -> list[Finding]:
    """All findings of all apps (name -> manifests), in the order of their places."""
    manifests = [manifest for app in apps.values() for manifest in app]
    found = [
        *_shared(apps),
        *_path_types(manifests),
        *_classes(manifests, around),
        *_redirects(manifests, around),
        *_backends(manifests),
        *_pulls(manifests, around),
        *_node_ports([*around.controllers, *manifests]),
        *_host_ports(manifests, around),
        *_scalers(manifests, around),
        *_balancers(manifests, around),
    ]
    return sorted(found, key=lambda finding: finding.problem)


def _of(manifests: Sequence[Manifest], *kinds: str) -> Iterator[Manifest]:
    return (manifest for manifest in manifests if manifest.kind in kinds)


def _shared(apps: Mapping[str, Sequence[Manifest]]) -> Iterator[Finding]:
    first: dict[tuple[str, str, str, str], str] = {}
    for app, manifests in apps.items():
        for manifest in manifests:
            other = first.setdefault(manifest.identity, app)
            if other == app:
                continue
            level = WARNING if manifest.kind == "Namespace" else ERROR
            hint = f"the one of {other!r} is applied" if level == WARNING else "give it to one app"
            yield Finding(
                level, manifest.problem(f"app {other!r} has a manifest for {manifest} too", hint)
            )


def _path_types(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """ingress-nginx#12637, kind#3764: refused by the webhook, with words that few understand."""
    for ingress in _of(manifests, "Ingress"):
        for rule, index, path in rules(ingress.obj):
            kind, text = path.get("pathType"), str(path.get("path") or "/")
            at = ("spec", "rules", rule, "http", "paths", index, "path")
            if kind not in ("Prefix", "Exact"):
                continue
            if not PLAIN_PATH.match(text):
                how = "" if has_regex(ingress.obj) else ' and the annotation use-regex: "true"'
                yield Finding(
                    ERROR,
                    ingress.problem(
                        f"path {text!r} is a regular expression, which pathType {kind} does not allow",
                        f"use pathType: ImplementationSpecific{how}",
                        at,
                    ),
                )
            elif "." in text:
                yield Finding(
                    WARNING,
                    ingress.problem(
                        f"path {text!r} with a dot: ingress-nginx before 1.12 refuses it as {kind}",
                        "pathType: ImplementationSpecific works in all",
                        at,
                    ),
                )


def _classes(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    known = {*around.ingress_classes, *(m.name for m in _of(manifests, "IngressClass"))}
    for ingress in _of(manifests, "Ingress"):
        name = class_of(ingress.obj)
        at = ("spec", "ingressClassName")
        if not known:
            message = f"{ingress}: no ingress controller is installed, nothing will answer"
            yield Finding(WARNING, ingress.problem(message, "ingress.controller: nginx"))
        elif name and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {close[0]!r}?" if close else f"there is {', '.join(sorted(known))}"
            )
            message = f"no ingress controller here serves class {name!r}"
            yield Finding(ERROR, ingress.problem(message, hint, at))


def _redirects(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    """The controller knows of its own port alone: https://HOST/ is where it sends people."""
    if around.https == 443:
        return
    for ingress in _of(manifests, "Ingress"):
        for host in redirected_hosts(ingress.obj):
            name = host or "localhost"
            message = (
                f"http://{name} is redirected to port 443, and HTTPS is on {around.https} here"
            )
            hint = f"open https://{name}:{around.https}"
            yield Finding(WARNING, ingress.problem(message, hint, ("spec", "tls")))


def _backends(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    services = {(m.namespace, m.name): m.obj for m in _of(manifests, "Service")}
    for ingress in _of(manifests, "Ingress"):
        places: list[tuple[tuple[str | int, ...], Any]] = [
            (("spec", "rules", rule, "http", "paths", index, "backend"), path.get("backend"))
            for rule, index, path in rules(ingress.obj)
        ]
        default = (ingress.obj.get("spec") or {}).get("defaultBackend")
        places.append((("spec", "defaultBackend"), default))
        for at, backend in places:
            wanted = (backend or {}).get("service")
            if not isinstance(wanted, dict):
                continue
            service = services.get((ingress.namespace, str(wanted.get("name"))))
            if service is None:
                where = f"{ingress.namespace}/{wanted.get('name')}"
                message = f"no manifest has the Service {where} that this leads to"
                yield Finding(WARNING, ingress.problem(message, "", (*at, "service", "name")))
            elif not _has_port(service, wanted.get("port") or {}):
                port = wanted.get("port") or {}
                message = (
                    f"Service {wanted['name']} has no port {port.get('number', port.get('name'))}"
                )
                has = ", ".join(_port_text(p) for p in _ports(service))
                yield Finding(
                    WARNING, ingress.problem(message, f"it has {has}", (*at, "service", "port"))
                )


def _ports(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((service.get("spec") or {}).get("ports") or ())


def _port_text(port: Mapping[str, Any]) -> str:
    return f"{port.get('port')}" + (f" ({port['name']})" if port.get("name") else "")


def _has_port(service: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if (service.get("spec") or {}).get("type") == "ExternalName":
        return True
    key = "port" if "number" in wanted else "name"
    value = wanted.get("number", wanted.get("name"))
    return any(port.get(key) == value for port in _ports(service))


def _pulls(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    """`Always` makes the node ask a registry at each start, whatever was brought into it."""
    for manifest in manifests:
        for at, container in containers(manifest.obj):
            if container.get("imagePullPolicy") != "Always":
                continue
            image = str(container["image"])
            certain = is_latest(image) or image in around.built
            yield Finding(
                ERROR if certain else WARNING,
                manifest.problem(
                    f"image {image!r} would be pulled in the node, not taken from this machine",
                    "leave imagePullPolicy out, or say IfNotPresent",
                    (*at, "imagePullPolicy"),
                ),
            )


def _node_ports(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """A number is one Service's, whatever it speaks; there TCP and UDP may share it."""
    first: dict[int, Manifest] = {}
    for service in _of(manifests, "Service"):
        own: set[tuple[int, str]] = set()
        for index, port in enumerate(_ports(service.obj)):
            if not isinstance(number := port.get("nodePort"), int):
                continue
            at = ("spec", "ports", index, "nodePort")
            if number not in NODE_PORTS:
                hint = f"{NODE_PORTS[0]} to {NODE_PORTS[-1]}, or leave it out to get a free one"
                yield Finding(ERROR, service.problem(f"{number} is no node port", hint, at))
            other = first.setdefault(number, service)
            key = (number, str(port.get("protocol") or "TCP"))
            if other is not service or key in own:
                message = f"nodePort {number} is {other}'s already"
                yield Finding(ERROR, service.problem(message, "leave it out to get a free one", at))
            own.add(key)


def _host_ports(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    first: dict[tuple[int, str], str] = {(p, "TCP"): who for p, who in around.host_ports.items()}
    for manifest in _of(manifests, *WORKLOADS):
        for at, number, port in on_node(manifest.obj):
            key = (number, str(port.get("protocol") or "TCP"))
            other = first.setdefault(key, str(manifest))
            if other != str(manifest):
                how = at[-1] if at[-1] == "hostPort" else "hostNetwork: port"
                message = f"{how} {number} of the node is {other}'s already"
                hint = "reach it by a Service and an Ingress"
                yield Finding(ERROR, manifest.problem(message, hint, at))


def _scalers(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    """metrics-server#1025: without it `kubectl get hpa` says `<unknown>` for ever."""
    if around.metrics:
        return
    for scaler in _of(manifests, "HorizontalPodAutoscaler"):
        spec = scaler.obj.get("spec") or {}
        if spec.get("minReplicas", 1) == spec.get("maxReplicas"):
            continue  # a fixed number: there is nothing that could scale
        message = f"{scaler} will not scale: this cluster has no metrics-server"
        yield Finding(WARNING, scaler.problem(message, "its minimum of replicas will run"))


def _balancers(manifests: Sequence[Manifest], around: LintContext) -> Iterator[Finding]:
    """kind has nobody for them: `kubectl get service` says `<pending>` for ever."""
    if around.addresses:
        return
    for service in _of(manifests, "Service"):
        spec = service.obj.get("spec") or {}
        asks = spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")
        if asks and (service.namespace, service.name) not in around.other_types:
            message = f"{service} gets no external address: nobody gives them here"
            hint = "`addons: [metallb]` does; its cluster IP and node port work without"
            yield Finding(WARNING, service.problem(message, hint, ("spec", "type")))
