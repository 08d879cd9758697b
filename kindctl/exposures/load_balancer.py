"""A Service of type LoadBalancer: its address comes from MetalLB, or from the cloud of the cluster."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import OnThisMachine, forward_to, name_in_urls, service_port
from kindctl.models import EXTERNAL, Endpoint, Forward, Object

UNPRIVILEGED = 8000
"""Added to a port below 1024 where this machine itself has to listen on it: 80 -> 8080."""


@dataclass(frozen=True)
class LoadBalancer(OnThisMachine):
    """See models.Exposure. The `local` of each port is the port of the external address.

    `local_ports` is empty, or contains one port of this machine for each of `ports`. These ports are bound
    to `address` and forwarded to the same Service. `reachable` says whether this machine reaches the
    external address; only then is the URL of that address printed and proven.
    """

    local_ports: Sequence[int] = ()
    reachable: bool = True

    service_type = "LoadBalancer"

    def forwards(self) -> Sequence[Forward]:
        return tuple(
            forward_to(port, local, self.address)
            for port, local in zip(self.ports, self.local_ports, strict=False)
        )

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        on_this_machine = (
            Endpoint(port.scheme, self.address, local, host)
            for port, local in zip(self.ports, self.local_ports, strict=False)
        )
        return (*(self._external() if self.reachable else ()), *on_this_machine)

    def _external(self) -> Sequence[Endpoint]:
        return tuple(
            Endpoint(
                port.scheme,
                EXTERNAL,
                port.local,
                EXTERNAL,
                external=f"{port.namespace}/{port.service}",
            )
            for port in self.ports
        )

    def shape(self, service: Object) -> None:
        service["spec"]["type"] = self.service_type
        for port in self.ports:
            service_port(service, port.port)["port"] = port.local


def nodes_are_reachable() -> bool:
    """Return whether this machine has a route to the addresses of containers. It has none if the
    engine runs in a virtual machine (Docker Desktop;
    https://docs.docker.com/desktop/features/networking/)."""
    return platform.system() == "Linux"


def on_this_machine(ports: Sequence[int]) -> tuple[int, ...]:
    """Return the ports of this machine that stand for these ports of an external address."""
    return tuple(port if port >= 1024 else port + UNPRIVILEGED for port in ports)
