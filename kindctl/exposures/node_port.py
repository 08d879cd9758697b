"""A port of every node, behind a Service; on kind mapped from the host to the control plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import name_in_urls, service_port
from kindctl.models import Endpoint, ExposedPort, Forward, Object, PortMapping


@dataclass(frozen=True)
class NodePort:
    """See models.Exposure. `address` is one of the host's IP addresses."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    on_node = False

    def mappings(self) -> Sequence[PortMapping]:
        return tuple(PortMapping(port.local, port.node_port, self.address) for port in self.ports)

    def forwards(self) -> Sequence[Forward]:
        return ()

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(Endpoint(port.scheme, self.address, port.local, host) for port in self.ports)

    def shape(self, service: Object) -> None:
        service["spec"]["type"] = "NodePort"
        for port in self.ports:
            service_port(service, port.port)["nodePort"] = port.node_port
