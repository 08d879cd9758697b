"""Ways from the host to a Service. One file per kind; EXPOSURES is the list of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from kindctl.errors import UsageError
from kindctl.models import Exposure

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
    """The class of that name: called with its ports (of ExposedPort) and `address`. Raises UsageError."""
    if via not in EXPOSURES:
        raise UsageError(
            f"there is no exposure {via!r}",
            fix=f"via is one of {', '.join(EXPOSURES)}",
        )
    module, _, name = EXPOSURES[via][0].partition(":")
    made: Callable[..., Exposure] = getattr(import_module(module), name)
    return made
