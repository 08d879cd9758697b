"""How the host reaches a Service. One file for each kind of exposure; EXPOSURES lists them."""

from __future__ import annotations

from collections.abc import Callable

from kindctl.models import Exposure
from kindctl.plugins import load_plugin

EXPOSURES: dict[str, tuple[str, str]] = {
    "host-port": (
        "kindctl.exposures.host_port:HostPort",
        "ports of the node, mapped to the host when kind makes it",
    ),
    "node-port": (
        "kindctl.exposures.node_port:NodePort",
        "a port of every node; on kind mapped to the host",
    ),
    "load-balancer": (
        "kindctl.exposures.load_balancer:LoadBalancer",
        "an external address, given by MetalLB or a cloud",
    ),
    "port-forward": (
        "kindctl.exposures.port_forward:PortForward",
        "a port of the host, forwarded to ready pods through the API",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def load_exposure(via: str) -> Callable[..., Exposure]:
    """Return the class of that kind of exposure. It is called with a sequence of ExposedPort and the
    address to bind. Raises UsageError."""
    made: Callable[..., Exposure] = load_plugin(
        EXPOSURES, via, kind="exposure", choices="via is one of"
    )
    return made
