"""Exposures and set-ups of components, as the plan makes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from kindctl.components import CONTROLLERS
from kindctl.components.base import ControllerSetup, Neighbours
from kindctl.exposures.host_port import HostPort
from kindctl.ingress.handover import NAMESPACE, SERVICE, Handover
from kindctl.ingress.replicas import Scaling
from kindctl.models import ExposedPort, Exposure
from tests.fakes.trust import serving

NEIGHBOURS = Neighbours(("172.18.0.0/16",), frozenset({"172.18.0.2"}))


def host_port(address: str = "127.0.0.1", http: int = 80, https: int = 443) -> HostPort:
    return HostPort(ports(http, https, 80, 443), address)


def ports(
    http: int = 80, https: int = 443, node_http: int = 30080, node_https: int = 30443
) -> tuple[ExposedPort, ExposedPort]:
    """Of a controller's Service gateway/controller."""
    return (
        ExposedPort("http", "gateway", "controller", "http", http, node_http),
        ExposedPort("https", "gateway", "controller", "https", https, node_https),
    )


def handover(environment: str = "shop") -> Handover:
    """Between all controllers that there are."""
    return Handover(environment, [component for _, component, _ in CONTROLLERS.values()])


def setup(
    environment: str,
    exposure: Exposure | None = None,
    *,
    shared: bool = False,
    replicas: int = 1,
    autoscale: tuple[int, int] | None = None,
    gateways: int = 0,
    **more: Any,
) -> ControllerSetup:
    """What a controller is made from; by default reached by host ports 80 and 443. `shared`: at the entry
    point that controllers share. An add-on takes it too."""
    reached = exposure or host_port()
    if shared:
        at_entry_point = [replace(p, namespace=NAMESPACE, service=SERVICE) for p in reached.ports]
        reached = cast(Exposure, replace(cast(Any, reached), ports=at_entry_point))
    settings: dict[str, Any] = {
        "exposure": reached,
        "handover": handover(environment),
        "certificate": serving(),
        "neighbours": lambda: NEIGHBOURS,
        "scaling": Scaling(replicas, autoscale, gateways),
        **more,
    }
    return ControllerSetup(environment, **settings)
