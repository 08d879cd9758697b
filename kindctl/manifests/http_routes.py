"""HTTPRoutes of Gateway API: the hosts and paths that they serve, and the listeners they attach to.

Pure functions over manifests; objects must have their namespaces set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kindctl.ingress.gateway_api import GROUP
from kindctl.kube_objects import entries, namespace_of, section, spec_of
from kindctl.manifests.routes import ServedPath, concrete
from kindctl.models import Object
from kindctl.trust.serving import SECRET


@dataclass(frozen=True)
class Parent:
    """A Gateway that a route attaches to. `section` and `port` select listeners of the Gateway; if neither
    is set, the route attaches to all listeners."""

    index: int  # in spec.parentRefs
    namespace: str
    name: str
    section: str = ""
    port: int | None = None

    def takes(self, listener: Mapping[str, Any]) -> bool:
        same_name = self.section in ("", listener.get("name"))
        return same_name and self.port in (None, listener.get("port"))


def is_gateway_api(obj: Object) -> bool:
    return str(obj["apiVersion"]).startswith(f"{GROUP}/")


def parents(route: Object) -> list[Parent]:
    """Return the Gateways of a route. Other kinds of parents (a Service, in a mesh) do not serve
    URLs."""
    found = []
    for index, ref in enumerate(entries(route, "spec", "parentRefs")):
        if ref.get("kind", "Gateway") == "Gateway" and ref.get("group", GROUP) == GROUP:
            namespace = ref.get("namespace") or namespace_of(route)
            section = str(ref.get("sectionName") or "")
            found.append(Parent(index, namespace, str(ref.get("name")), section, ref.get("port")))
    return found


def listeners(gateway: Object) -> list[Mapping[str, Any]]:
    return entries(gateway, "spec", "listeners")


def lets_in(listener: Mapping[str, Any], gateway: Object, route: Object) -> bool:
    """Return whether a listener accepts routes of that namespace. If it selects namespaces by
    label, the answer is yes: only the cluster knows their labels."""
    allowed = section(listener, "allowedRoutes", "namespaces")
    same = namespace_of(gateway) == namespace_of(route)
    return bool(same or allowed.get("from", "Same") != "Same")


def served_paths(
    routes: Sequence[Object], gateways: Sequence[Object], classes: Collection[str]
) -> list[ServedPath]:
    """Return what the routes serve through Gateways of these classes. Each pair of host and path is
    returned once, with plain HTTP if any listener serves the pair over plain HTTP."""
    found: dict[tuple[str, str], ServedPath] = {}
    for route in routes:
        for listener in sorted(_attached(route, gateways, classes), key=_encrypted):
            for host in _hosts(listener, route):
                for path in _paths(route):
                    own = _has_own_certificate(listener)
                    served = ServedPath(host, path, _encrypted(listener), own)
                    first = found.setdefault((host, path), served)
                    found[host, path] = replace(first, own_certificate=own or first.own_certificate)
    return list(found.values())


def _attached(
    route: Object, gateways: Sequence[Object], classes: Collection[str]
) -> Iterator[Mapping[str, Any]]:
    for parent in parents(route):
        for gateway in gateways:
            name = namespace_of(gateway), gateway["metadata"]["name"]
            meant = name == (parent.namespace, parent.name)
            if meant and spec_of(gateway).get("gatewayClassName") in classes:
                yield from (
                    one
                    for one in listeners(gateway)
                    if parent.takes(one) and lets_in(one, gateway, route)
                )


def _encrypted(listener: Mapping[str, Any]) -> bool:
    return listener.get("protocol") == "HTTPS"


def _has_own_certificate(listener: Mapping[str, Any]) -> bool:
    """Return whether the app brings its own certificate, which replaces the local authority's
    certificate."""
    return any(ref.get("name") != SECRET for ref in entries(listener, "tls", "certificateRefs"))


def _hosts(listener: Mapping[str, Any], route: Object) -> list[str]:
    """Return the hosts that both the listener and the route serve; empty means any host.
    `*.example.com` covers its subdomains."""
    wanted = [str(host) for host in entries(route, "spec", "hostnames")]
    own = str(listener.get("hostname") or "")
    if not own or not wanted:
        return wanted or [own]
    return [host if _covers(own, host) else own for host in wanted if _meet(own, host)]


def _meet(one: str, other: str) -> bool:
    return _covers(one, other) or _covers(other, one)


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _paths(route: Object) -> Iterator[str]:
    every: list[Object] = [{}]  # a rule without matches is for every path
    for rule in entries(route, "spec", "rules") or every:
        for match in entries(rule, "matches") or every:
            if match.get("headers") or match.get("queryParams"):
                continue  # a plain GET of the path would not match
            if match.get("method", "GET") != "GET":
                continue
            path = section(match, "path")
            value = str(path.get("value") or "/")
            yield concrete(value) if path.get("type") == "RegularExpression" else value
