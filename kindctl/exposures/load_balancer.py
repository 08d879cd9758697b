"""A Service of type LoadBalancer: its address is given by whoever hands them out in the cluster."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import name_in_urls, service_port
from kindctl.models import EXTERNAL, Endpoint, ExposedPort, Forward, Object, PortMapping

UNPRIVILEGED = 8000
"""What is added to a port below 1024 where this machine has to listen on it itself: 80 -> 8080."""


@dataclass(frozen=True)
class LoadBalancer:
    """See models.Exposure. The `local` of each port is the port of the external address.

    `beside`: a port of this machine for each of them, forwarded to the same Service; `address` is what
    these are bound to. `routed`: whether this machine reaches the external address, so that it is
    printed and proven.
    """

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"
    beside: Sequence[int] = ()
    routed: bool = True

    on_node = False
    service_type = "LoadBalancer"

    def mappings(self) -> Sequence[PortMapping]:
        return ()

    def forwards(self) -> Sequence[Forward]:
        return tuple(
            Forward(port.namespace, port.service, port.port, local, self.address)
            for port, local in zip(self.ports, self.beside, strict=False)
        )

    def endpoints(self) -> Sequence[Endpoint]:
        return (*(self._external() if self.routed else ()), *self._local())

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

    def _local(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(
            Endpoint(port.scheme, self.address, local, host)
            for port, local in zip(self.ports, self.beside, strict=False)
        )

    def shape(self, service: Object) -> None:
        service["spec"]["type"] = self.service_type
        for port in self.ports:
            service_port(service, port.port)["port"] = port.local


def nodes_are_reached() -> bool:
    """Whether this machine has a route to the addresses of containers: not where the engine runs in a
    virtual machine (Docker Desktop; https://docs.docker.com/desktop/features/networking/)."""
    return platform.system() == "Linux"


def on_this_machine(ports: Sequence[int]) -> tuple[int, ...]:
    return tuple(port if port >= 1024 else port + UNPRIVILEGED for port in ports)
