"""What can be known to go wrong with Gateways and HTTPRoutes before anything is applied."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindctl.ingress.gateway_api import GROUP
from kindctl.manifests.http_routes import Parent, is_gateway_api, lets_in, listeners, parents
from kindctl.manifests.lint import ERROR, WARNING, Finding
from kindctl.manifests.manifest import Manifest
from kindctl.models import Object


@dataclass(frozen=True)
class GatewayContext:
    """What the apps' Gateways and routes will find. No class: the controller serves none.

    `strangers`: others in the cluster may serve or have what is not known here, and then nothing is
    refused for being unknown.
    """

    classes: Collection[str] = ()
    ports: Collection[int] = ()  # that a listener may have
    gateways: Sequence[Object] = ()  # the controller's own
    strangers: bool = False

    @property
    def unknown(self) -> str:
        """The level of a finding about something that is not known here."""
        return WARNING if self.strangers else ERROR


def lint_gateways(apps: Mapping[str, Sequence[Manifest]], around: GatewayContext) -> list[Finding]:
    """All findings of all apps (name -> manifests), in the order of their places."""
    manifests = [manifest for app in apps.values() for manifest in app]
    ours = [m for m in manifests if is_gateway_api(m.obj)]
    if not around.classes:
        found = list(_unserved(ours, manifests, around))
    else:
        found = [*_classes(ours, around), *_routes(ours, manifests, around)]
    return sorted(found, key=lambda finding: finding.problem)


def _unserved(
    ours: Sequence[Manifest], manifests: Sequence[Manifest], around: GatewayContext
) -> Iterator[Finding]:
    defined = any(
        (m.obj.get("spec") or {}).get("group") == GROUP
        for m in manifests
        if m.kind == "CustomResourceDefinition"
    )
    if around.strangers or defined:
        return
    for manifest in ours:
        yield Finding(
            ERROR,
            manifest.problem(
                f"{manifest}: there is no Gateway API in this environment",
                "ingress: {controller: traefik, gatewayAPI: true}",
            ),
        )


def _classes(ours: Sequence[Manifest], around: GatewayContext) -> Iterator[Finding]:
    own = {m.name for m in ours if m.kind == "GatewayClass"}
    known = {*around.classes, *own}
    for gateway in (m for m in ours if m.kind == "Gateway"):
        name = str((gateway.obj.get("spec") or {}).get("gatewayClassName") or "")
        if name not in known:
            at = ("spec", "gatewayClassName")
            message = f"no controller here serves GatewayClass {name!r}"
            yield Finding(around.unknown, gateway.problem(message, _guess(name, known), at))
        if name not in around.classes:
            continue
        for index, listener in enumerate(listeners(gateway.obj)):
            if listener.get("port") not in around.ports:
                ports = " and ".join(str(port) for port in around.ports)
                yield Finding(
                    ERROR,
                    gateway.problem(
                        f"listener {listener.get('name')}: the controller does not listen on port "
                        f"{listener.get('port')}",
                        f"it listens on {ports}; the port of this machine is `ingress.expose`",
                        ("spec", "listeners", index, "port"),
                    ),
                )


def _routes(
    ours: Sequence[Manifest], manifests: Sequence[Manifest], around: GatewayContext
) -> Iterator[Finding]:
    gateways = [*(m.obj for m in ours if m.kind == "Gateway"), *around.gateways]
    known = {(g["metadata"].get("namespace", ""), g["metadata"]["name"]): g for g in gateways}
    services = {(m.namespace, m.name): m.obj for m in manifests if m.kind == "Service"}
    for route in (m for m in ours if m.kind == "HTTPRoute"):
        for parent in parents(route.obj):
            if problem := _parent(route, parent, known):
                level = ERROR if (parent.namespace, parent.name) in known else around.unknown
                message, hint = problem
                at = ("spec", "parentRefs", parent.index)
                yield Finding(level, route.problem(message, hint, at))
        yield from _backends(route, services)


def _parent(
    route: Manifest, parent: Parent, known: Mapping[tuple[str, str], Object]
) -> tuple[str, str] | None:
    """(what is wrong, what to do); None when a listener takes the route in."""
    where = f"{parent.namespace}/{parent.name}"
    gateway = known.get((parent.namespace, parent.name))
    if gateway is None:
        names = {f"{namespace}/{name}" for namespace, name in known}
        return f"there is no Gateway {where}", _guess(where, names)
    its = listeners(gateway)
    meant = [one for one in its if parent.takes(one)]
    if not meant:
        names = {str(one.get("name")) for one in its}
        which = parent.section or f"of port {parent.port}"
        return f"Gateway {where} has no listener {which}", _guess(parent.section, names)
    if not any(lets_in(one, gateway, route.obj) for one in meant):
        return (
            f"Gateway {where} lets in routes of its own namespace alone",
            "allowedRoutes: {namespaces: {from: All}} at its listener",
        )
    return None


def _backends(route: Manifest, services: Mapping[tuple[str, str], Object]) -> Iterator[Finding]:
    for rule, one in enumerate((route.obj.get("spec") or {}).get("rules") or ()):
        for index, ref in enumerate(one.get("backendRefs") or ()):
            if ref.get("kind", "Service") != "Service" or ref.get("group"):
                continue
            at = ("spec", "rules", rule, "backendRefs", index)
            yield from _backend(route, ref, services, at)


def _backend(
    route: Manifest,
    ref: Mapping[str, Any],
    services: Mapping[tuple[str, str], Object],
    at: tuple[str | int, ...],
) -> Iterator[Finding]:
    namespace = str(ref.get("namespace") or route.namespace)
    name = f"{namespace}/{ref.get('name')}"
    service = services.get((namespace, str(ref.get("name"))))
    if service is None:
        same = {own for space, own in services if space == namespace}
        message = f"no manifest has the Service {name} that this leads to"
        hint = _guess(str(ref.get("name")), same)
        yield Finding(WARNING, route.problem(message, hint, (*at, "name")))
        return
    ports = [port.get("port") for port in (service.get("spec") or {}).get("ports") or ()]
    numbers = ", ".join(str(port) for port in ports)
    if ref.get("port") is None:
        message = f"the port of Service {name} has to be named"
        yield Finding(ERROR, route.problem(message, f"it has {numbers}", at))
    elif ref["port"] not in ports:
        message = f"Service {name} has no port {ref['port']}"
        yield Finding(WARNING, route.problem(message, f"it has {numbers}", (*at, "port")))


def _guess(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there is {', '.join(sorted(known))}" if known else ""
