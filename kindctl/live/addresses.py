"""Addresses that only the cluster knows: the external addresses of Services of type LoadBalancer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kindctl.errors import KindctlError
from kindctl.kube_objects import entries
from kindctl.models import EXTERNAL, Object, ObjectRef, Route
from kindctl.tools.protocols import Cluster


def located(route: Route, cluster: Cluster | None) -> Route | None:
    """Return the route with EXTERNAL-IP replaced by the external address of its Service, or None while the
    Service has no address. A route without an external Service is returned unchanged. Raises ApiError."""
    if not route.external:
        return route
    address = external_address(cluster.get(service_ref(route.external))) if cluster else ""
    if not address:
        return None
    return replace(
        route,
        url=route.url.replace(EXTERNAL, f"[{address}]" if ":" in address else address, 1),
        connect=(address, route.connect[1]),
    )


def service_ref(external: str) -> ObjectRef:
    """Return a reference to the Service `external`, which is written "namespace/name"."""
    namespace, _, name = external.partition("/")
    return ObjectRef("v1", "Service", name, namespace)


def external_address(service: Object | None) -> str:
    """Return what `kubectl get service` shows as EXTERNAL-IP, or an empty string while that is
    <pending>."""
    ingress = entries(service or {}, "status", "loadBalancer", "ingress")
    return str(ingress[0].get("ip") or ingress[0].get("hostname") or "") if ingress else ""


def urls_of(cluster: Cluster | None, routes: Iterable[Route]) -> list[str]:
    """Return the URLs of routes as they are shown to people.

    A URL contains EXTERNAL-IP where the address is not known. If the Host header differs from the URL's
    host, the header follows the URL: "http://localhost/ (Host: shop.example.com)".
    """
    return [_url(cluster, route) for route in routes]


def _url(cluster: Cluster | None, route: Route) -> str:
    try:
        found = located(route, cluster)
    except KindctlError:
        found = None
    url = (found or route).url
    return f"{url} (Host: {route.host})" if route.host else url
