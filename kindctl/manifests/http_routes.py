"""HTTPRoutes of Gateway API: the hosts and paths that they have rules for, and the listeners that take
them in. Pure functions over manifests whose objects have their namespaces."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindctl.ingress.gateway_api import GROUP
from kindctl.manifests.routes import Way, concrete
from kindctl.models import Object
from kindctl.trust.serving import SECRET


@dataclass(frozen=True)
class Parent:
    """A Gateway that a route wants to be attached to, and which of its listeners. Empty: all."""

    index: int  # in spec.parentRefs
    namespace: str
    name: str
    section: str = ""
    port: int | None = None

    def takes(self, listener: Mapping[str, Any]) -> bool:
        return self.section in ("", listener.get("name")) and self.port in (
            None,
            listener.get("port"),
        )


def is_gateway_api(obj: Object) -> bool:
    return str(obj["apiVersion"]).startswith(f"{GROUP}/")


def parents(route: Object) -> list[Parent]:
    """Its Gateways; other kinds of parents (a Service, in a mesh) are no way in."""
    found = []
    for index, ref in enumerate((route.get("spec") or {}).get("parentRefs") or ()):
        if ref.get("kind", "Gateway") == "Gateway" and ref.get("group", GROUP) == GROUP:
            namespace = ref.get("namespace") or route["metadata"].get("namespace", "")
            section = str(ref.get("sectionName") or "")
            found.append(Parent(index, namespace, str(ref.get("name")), section, ref.get("port")))
    return found


def listeners(gateway: Object) -> list[Mapping[str, Any]]:
    return list((gateway.get("spec") or {}).get("listeners") or ())


def lets_in(listener: Mapping[str, Any], gateway: Object, route: Object) -> bool:
    """Whether it takes routes of that namespace, as far as its manifest says (a selector may)."""
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    same = gateway["metadata"].get("namespace") == route["metadata"].get("namespace")
    return bool(same or allowed.get("from", "Same") != "Same")


def ways(
    routes: Sequence[Object], gateways: Sequence[Object], classes: Collection[str]
) -> list[Way]:
    """A host and path once, over plain HTTP where a listener takes it so."""
    found: dict[tuple[str, str], Way] = {}
    for route in routes:
        for listener in sorted(_attached(route, gateways, classes), key=_encrypted):
            for host in _hosts(listener, route):
                for path in _paths(route):
                    way = Way(host, path, _encrypted(listener), _brings_its_own(listener))
                    first = found.setdefault((host, path), way)
                    if way.own and not first.own:
                        found[host, path] = Way(host, path, first.tls, own=True)
    return list(found.values())


def _attached(
    route: Object, gateways: Sequence[Object], classes: Collection[str]
) -> Iterator[Mapping[str, Any]]:
    for parent in parents(route):
        for gateway in gateways:
            meta, spec = gateway["metadata"], gateway.get("spec") or {}
            here = (meta.get("namespace"), meta["name"]) == (parent.namespace, parent.name)
            if here and spec.get("gatewayClassName") in classes:
                yield from (
                    one
                    for one in listeners(gateway)
                    if parent.takes(one) and lets_in(one, gateway, route)
                )


def _encrypted(listener: Mapping[str, Any]) -> bool:
    return listener.get("protocol") == "HTTPS"


def _brings_its_own(listener: Mapping[str, Any]) -> bool:
    """A certificate that is not the local authority's."""
    refs = (listener.get("tls") or {}).get("certificateRefs") or ()
    return any(ref.get("name") != SECRET for ref in refs)


def _hosts(listener: Mapping[str, Any], route: Object) -> list[str]:
    """Those that both are for; empty: any. `*.example.com` is for every name that ends so."""
    wanted = [str(host) for host in (route.get("spec") or {}).get("hostnames") or ()]
    own = str(listener.get("hostname") or "")
    if not own or not wanted:
        return wanted or [own]
    return [host if _covers(own, host) else own for host in wanted if _meet(own, host)]


def _meet(one: str, other: str) -> bool:
    return _covers(one, other) or _covers(other, one)


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _paths(route: Object) -> Iterator[str]:
    nothing: list[Object] = [{}]  # a rule without matches is for every path
    for rule in (route.get("spec") or {}).get("rules") or nothing:
        for match in rule.get("matches") or nothing:
            if match.get("headers") or match.get("queryParams"):
                continue  # a plain GET of the path would not match
            if match.get("method", "GET") != "GET":
                continue
            path = match.get("path") or {}
            value = str(path.get("value") or "/")
            yield concrete(value) if path.get("type") == "RegularExpression" else value
