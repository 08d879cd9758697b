"""Finds problems with Gateways and HTTPRoutes before anything is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindctl.ingress.gateway_api import GROUP
from kindctl.kube_objects import entries, namespace_of, spec_of
from kindctl.manifests.http_routes import Parent, is_gateway_api, lets_in, listeners, parents
from kindctl.manifests.manifest import ERROR, WARNING, Finding, Manifest
from kindctl.models import Object
from kindctl.problems import FieldPath, did_you_mean


@dataclass(frozen=True)
class GatewayContext:
    """What the cluster will offer to the apps' Gateways and routes. Without `classes`, the
    controller serves no Gateways.

    `strangers`: whether other software in the cluster may serve or define names that are not known
    here, so that unknown names are not errors.
    """

    classes: Collection[str] = ()
    ports: Collection[int] = ()  # that a listener may have
    gateways: Sequence[Object] = ()  # the controller's own
    strangers: bool = False

    @property
    def unknown(self) -> str:
        """The level of a finding about a name that is not known here."""
        return WARNING if self.strangers else ERROR


def lint_gateways(apps: Mapping[str, Sequence[Manifest]], context: GatewayContext) -> list[Finding]:
    """Return all findings of all apps (name -> manifests), sorted by their places."""
    manifests = [manifest for app in apps.values() for manifest in app]
    ours = [m for m in manifests if is_gateway_api(m.obj)]
    if not context.classes:
        found = list(_unserved(ours, manifests, context))
    else:
        found = [*_gateways(ours, context), *_routes(ours, manifests, context)]
    return sorted(found, key=lambda finding: finding.problem)


def _unserved(
    ours: Sequence[Manifest], manifests: Sequence[Manifest], context: GatewayContext
) -> Iterator[Finding]:
    defined = any(
        spec_of(m.obj).get("group") == GROUP
        for m in manifests
        if m.kind == "CustomResourceDefinition"
    )
    if context.strangers or defined:
        return
    for manifest in ours:
        message = f"{manifest}: this environment has no Gateway API"
        yield manifest.error(message, "set `ingress: {controller: traefik, gatewayAPI: true}`")


def _gateways(ours: Sequence[Manifest], context: GatewayContext) -> Iterator[Finding]:
    known = {*context.classes, *(m.name for m in ours if m.kind == "GatewayClass")}
    for gateway in (m for m in ours if m.kind == "Gateway"):
        name = str(spec_of(gateway.obj).get("gatewayClassName") or "")
        if name not in known:
            path = ("spec", "gatewayClassName")
            message = f"no controller here serves GatewayClass {name!r}"
            hint = did_you_mean(name, sorted(known))
            yield Finding(context.unknown, gateway.problem(message, hint, path))
        if name not in context.classes:
            continue
        for index, listener in enumerate(listeners(gateway.obj)):
            port = listener.get("port")
            if port not in context.ports:
                ports = " and ".join(str(port) for port in context.ports)
                message = f"listener {listener.get('name')}: the controller does not listen on port {port}"
                hint = f"use {ports}; ports of this machine are set in `ingress.expose`"
                yield gateway.error(message, hint, ("spec", "listeners", index, "port"))


def _routes(
    ours: Sequence[Manifest], manifests: Sequence[Manifest], context: GatewayContext
) -> Iterator[Finding]:
    gateways = [*(m.obj for m in ours if m.kind == "Gateway"), *context.gateways]
    known = {(namespace_of(gateway), gateway["metadata"]["name"]): gateway for gateway in gateways}
    services = {(m.namespace, m.name): m.obj for m in manifests if m.kind == "Service"}
    for route in (m for m in ours if m.kind == "HTTPRoute"):
        for parent in parents(route.obj):
            if problem := _why_not_attached(route, parent, known):
                level = ERROR if (parent.namespace, parent.name) in known else context.unknown
                path = ("spec", "parentRefs", parent.index)
                yield Finding(level, route.problem(*problem, path))
        for rule, one in enumerate(entries(route.obj, "spec", "rules")):
            for index, ref in enumerate(entries(one, "backendRefs")):
                if ref.get("kind", "Service") == "Service" and not ref.get("group"):
                    at = ("spec", "rules", rule, "backendRefs", index)
                    yield from _backend(route, ref, services, at)


def _why_not_attached(
    route: Manifest, parent: Parent, known: Mapping[tuple[str, str], Object]
) -> tuple[str, str] | None:
    """Return the (message, hint) that says why no listener of the parent accepts the route; None if
    one does."""
    where = f"{parent.namespace}/{parent.name}"
    gateway = known.get((parent.namespace, parent.name))
    if gateway is None:
        names = sorted(f"{namespace}/{name}" for namespace, name in known)
        return f"Gateway {where} does not exist", did_you_mean(where, names)
    matching = [one for one in listeners(gateway) if parent.takes(one)]
    if not matching:
        names = sorted({str(one.get("name")) for one in listeners(gateway)})
        which = parent.section or f"on port {parent.port}"
        return f"Gateway {where} has no listener {which}", did_you_mean(parent.section, names)
    if not any(lets_in(one, gateway, route.obj) for one in matching):
        return (
            f"Gateway {where} only accepts routes of its own namespace",
            "set allowedRoutes: {namespaces: {from: All}} on its listener",
        )
    return None


def _backend(
    route: Manifest,
    ref: Mapping[str, Any],
    services: Mapping[tuple[str, str], Object],
    at: FieldPath,
) -> Iterator[Finding]:
    namespace, short = str(ref.get("namespace") or route.namespace), str(ref.get("name"))
    name = f"{namespace}/{short}"
    service = services.get((namespace, short))
    if service is None:
        message = f"backendRef refers to Service {name}, which no manifest defines"
        hint = did_you_mean(short, sorted(own for space, own in services if space == namespace))
        yield route.warning(message, hint, (*at, "name"))
        return
    ports = [port.get("port") for port in entries(service, "spec", "ports")]
    hint = f"ports of the Service: {', '.join(str(port) for port in ports)}"
    if ref.get("port") is None:
        yield route.error(f"backendRef must set the port of Service {name}", hint, at)
    elif ref["port"] not in ports:
        yield route.warning(f"Service {name} has no port {ref['port']}", hint, (*at, "port"))
