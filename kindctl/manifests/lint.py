"""Finds problems in the apps' manifests before anything is applied."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.kube_objects import entries, section, spec_of
from kindctl.manifests.manifest import Finding, Manifest
from kindctl.manifests.pods import containers, is_latest, on_node
from kindctl.manifests.routes import class_of, has_regex, redirected_hosts, rules
from kindctl.problems import FieldPath, did_you_mean

PLAIN_PATH = re.compile(r"^/[A-Za-z0-9._/-]*$")
"""What ingress-nginx admits under Prefix and Exact with strict-validate-path-type."""

NODE_PORTS = range(30000, 32768)
"""The API server's default --service-node-port-range."""

STATIC_NODE_PORTS = range(30000, 30086)
"""Node ports that the API server assigns itself only when it has no others left (KEP-3668)."""

WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet")


@dataclass(frozen=True)
class LintContext:
    """What the cluster will offer to the apps."""

    ingress_classes: Collection[str] = ("nginx",)  # empty: no controller
    controllers: Sequence[Manifest] = ()  # manifests that the user brings for the controller
    host_ports: Mapping[int, str] = field(default_factory=dict)  # port of a node -> who has it
    https: int = 443  # port of the host
    metrics: bool = False  # whether metrics-server is installed
    addresses: bool = True  # whether Services get external addresses
    other_types: Collection[tuple[str, str]] = ()  # Services whose type kindctl will change
    built: Collection[str] = ()  # images that are built here, as manifests name them


def lint(apps: Mapping[str, Sequence[Manifest]], context: LintContext) -> list[Finding]:
    """Return all findings of all apps (name -> manifests), sorted by their places."""
    manifests = [manifest for app in apps.values() for manifest in app]
    found = [
        *_shared(apps),
        *_path_types(manifests),
        *_ingress_classes(manifests, context),
        *_redirects(manifests, context),
        *_backends(manifests),
        *_pulled_images(manifests, context),
        *_node_ports([*context.controllers, *manifests]),
        *_host_ports(manifests, context),
        *_autoscalers(manifests, context),
        *_load_balancers(manifests, context),
    ]
    return sorted(found, key=lambda finding: finding.problem)


def _of_kind(manifests: Sequence[Manifest], *kinds: str) -> Iterator[Manifest]:
    return (manifest for manifest in manifests if manifest.kind in kinds)


def _shared(apps: Mapping[str, Sequence[Manifest]]) -> Iterator[Finding]:
    """Report objects that several apps define: only a Namespace may be in several."""
    first: dict[tuple[str, str, str, str], str] = {}
    for app, manifests in apps.items():
        for manifest in manifests:
            other = first.setdefault(manifest.identity, app)
            message = f"app {other!r} also has a manifest for {manifest}"
            if other != app and manifest.kind == "Namespace":
                yield manifest.warning(message, f"the manifest of {other!r} is applied")
            elif other != app:
                yield manifest.error(message, "remove it from one of the apps")


def _path_types(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Report paths that the webhook of ingress-nginx rejects with a message that few understand
    (ingress-nginx#12637, kind#3764)."""
    for ingress in _of_kind(manifests, "Ingress"):
        for rule, index, path in rules(ingress.obj):
            kind, text = path.get("pathType"), str(path.get("path") or "/")
            at = ("spec", "rules", rule, "http", "paths", index, "path")
            if kind not in ("Prefix", "Exact"):
                continue
            if not PLAIN_PATH.match(text):
                message = (
                    f"path {text!r} is a regular expression, which pathType {kind} does not allow"
                )
                how = "" if has_regex(ingress.obj) else ' and the annotation use-regex: "true"'
                yield ingress.error(message, f"use pathType: ImplementationSpecific{how}", at)
            elif "." in text:
                message = f"ingress-nginx before 1.12 rejects the dot in path {text!r} with pathType {kind}"
                yield ingress.warning(message, "use pathType: ImplementationSpecific", at)


def _ingress_classes(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    known = {*context.ingress_classes, *(m.name for m in _of_kind(manifests, "IngressClass"))}
    for ingress in _of_kind(manifests, "Ingress"):
        name = class_of(ingress.obj)
        if not known:
            message = f"{ingress} has no effect: no ingress controller is installed"
            yield ingress.warning(message, "set `ingress.controller: nginx`")
        elif name and name not in known:
            hint, at = did_you_mean(name, sorted(known)), ("spec", "ingressClassName")
            yield ingress.error(f"no ingress controller here serves class {name!r}", hint, at)


def _redirects(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    """Warn about redirects to HTTPS: the controller only knows its own port, so it redirects to
    https://HOST/."""
    if context.https == 443:
        return
    for ingress in _of_kind(manifests, "Ingress"):
        for host in redirected_hosts(ingress.obj):
            name = host or "localhost"
            message = f"http://{name} redirects to port 443, but HTTPS is on port {context.https}"
            yield ingress.warning(message, f"open https://{name}:{context.https}", ("spec", "tls"))


def _backends(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    services = {(m.namespace, m.name): m.obj for m in _of_kind(manifests, "Service")}
    for ingress in _of_kind(manifests, "Ingress"):
        backends: list[tuple[FieldPath, Any]] = [
            (("spec", "rules", rule, "http", "paths", index, "backend"), section(path, "backend"))
            for rule, index, path in rules(ingress.obj)
        ]
        default = section(ingress.obj, "spec", "defaultBackend")
        for at, backend in [*backends, (("spec", "defaultBackend"), default)]:
            if isinstance(backend.get("service"), dict):
                yield from _backend(ingress, section(backend, "service"), services, at)


def _backend(
    ingress: Manifest,
    wanted: Mapping[str, Any],
    services: Mapping[tuple[str, str], Mapping[str, Any]],
    at: FieldPath,
) -> Iterator[Finding]:
    name, port = str(wanted.get("name")), section(wanted, "port")
    service = services.get((ingress.namespace, name))
    if service is None:
        message = (
            f"the backend refers to Service {ingress.namespace}/{name}, which no manifest defines"
        )
        yield ingress.warning(message, "", (*at, "service", "name"))
    elif not _has_port(service, port):
        message = f"Service {name} has no port {port.get('number', port.get('name'))}"
        has = ", ".join(_port_text(one) for one in entries(service, "spec", "ports"))
        yield ingress.warning(message, f"ports of the Service: {has}", (*at, "service", "port"))


def _port_text(port: Mapping[str, Any]) -> str:
    return f"{port.get('port')}" + (f" ({port['name']})" if port.get("name") else "")


def _has_port(service: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if spec_of(service).get("type") == "ExternalName":
        return True
    key = "port" if "number" in wanted else "name"
    value = wanted.get("number", wanted.get("name"))
    return any(port.get(key) == value for port in entries(service, "spec", "ports"))


def _pulled_images(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    """Report the pull policy `Always`: with it, the node asks a registry at each start, even if the
    image was loaded into the node."""
    for manifest in manifests:
        for path, container in containers(manifest.obj):
            if container.get("imagePullPolicy") != "Always":
                continue
            image = str(container["image"])
            finding = (
                manifest.error if is_latest(image) or image in context.built else manifest.warning
            )
            message = (
                f"the node would pull image {image!r} instead of using the one from this machine"
            )
            hint = "remove imagePullPolicy, or set it to IfNotPresent"
            yield finding(message, hint, (*path, "imagePullPolicy"))


def _node_ports(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Report clashing node ports. A node port belongs to one Service, whatever its protocol; within
    that Service, TCP and UDP may share the port."""
    first: dict[int, Manifest] = {}
    for service in _of_kind(manifests, "Service"):
        own: set[tuple[int, str]] = set()
        for index, port in enumerate(entries(service.obj, "spec", "ports")):
            if not isinstance(number := port.get("nodePort"), int):
                continue
            at = ("spec", "ports", index, "nodePort")
            if number not in NODE_PORTS:
                hint = (
                    f"use {NODE_PORTS[0]} to {NODE_PORTS[-1]}, or remove nodePort to get a free one"
                )
                yield service.error(f"nodePort {number} is out of range", hint, at)
            other = first.setdefault(number, service)
            key = (number, _protocol(port))
            if other is not service or key in own:
                message = f"nodePort {number} is already used by {other}"
                yield service.error(message, "remove nodePort to get a free one", at)
            own.add(key)


def _protocol(port: Mapping[str, Any]) -> str:
    return str(port.get("protocol") or "TCP")


def _host_ports(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    first: dict[tuple[int, str], str] = {(p, "TCP"): who for p, who in context.host_ports.items()}
    for manifest in _of_kind(manifests, *WORKLOADS):
        for path, number, port in on_node(manifest.obj):
            other = first.setdefault((number, _protocol(port)), str(manifest))
            if other != str(manifest):
                what = "hostPort" if path[-1] == "hostPort" else "hostNetwork: port"
                message = f"{what} {number} is already used by {other}"
                yield manifest.error(message, "use a Service and an Ingress instead", path)


def _autoscalers(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    """Warn about autoscalers in a cluster without metrics-server: `kubectl get hpa` would show
    `<unknown>` forever (metrics-server#1025)."""
    if context.metrics:
        return
    for scaler in _of_kind(manifests, "HorizontalPodAutoscaler"):
        spec = spec_of(scaler.obj)
        if spec.get("minReplicas", 1) == spec.get("maxReplicas"):
            continue  # a fixed number: there is nothing to scale
        message = f"{scaler} will not scale: this cluster has no metrics-server"
        yield scaler.warning(message, "only the minimum number of replicas will run")


def _load_balancers(manifests: Sequence[Manifest], context: LintContext) -> Iterator[Finding]:
    """Warn about Services of type LoadBalancer in a cluster without a load balancer, such as kind:
    `kubectl get service` would show `<pending>` forever."""
    if context.addresses:
        return
    for service in _of_kind(manifests, "Service"):
        spec = spec_of(service.obj)
        asks = spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")
        if asks and (service.namespace, service.name) not in context.other_types:
            message = f"{service} gets no external address: this cluster has no load balancer"
            hint = "add `addons: [metallb]`, or use the Service's cluster IP or node port"
            yield service.warning(message, hint, ("spec", "type"))
