"""Ways in, as the plan makes them."""

from __future__ import annotations

from typing import Any

from kindctl.components import CONTROLLERS
from kindctl.components.base import Neighbours, Setup
from kindctl.exposures.host_port import HostPort
from kindctl.ingress.handover import Handover
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


def setup(
    environment: str,
    exposure: Exposure | None = None,
    *,
    replicas: int = 1,
    autoscale: tuple[int, int] | None = None,
    gateways: int = 0,
    **more: Any,
) -> Setup:
    """What a controller is made for; by default reached by host ports 80 and 443."""
    handover = Handover(environment, [component for _, component, _ in CONTROLLERS.values()])
    settings: dict[str, Any] = {
        "handover": handover,
        "certificate": serving(),
        "neighbours": lambda: NEIGHBOURS,
        "scaling": Scaling(replicas, autoscale, gateways),
        **more,
    }
    return Setup(
        environment, lambda namespace, service, ports=(): exposure or host_port(), **settings
    )
