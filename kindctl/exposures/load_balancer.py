"""A Service of type LoadBalancer: its address is given by whoever hands them out in the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import service_port
from kindctl.models import EXTERNAL, Endpoint, ExposedPort, Forward, Object, PortMapping


@dataclass(frozen=True)
class LoadBalancer:
    """See models.Exposure. The `local` of each port is the port of the external address. `address`, of
    the host, has no part in it."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    on_node = False

    def mappings(self) -> Sequence[PortMapping]:
        return ()

    def forwards(self) -> Sequence[Forward]:
        return ()

    def endpoints(self) -> Sequence[Endpoint]:
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
        service["spec"]["type"] = "LoadBalancer"
        for port in self.ports:
            service_port(service, port.port)["port"] = port.local
