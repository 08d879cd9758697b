"""Ports of the node on which the controller's pod listens, mapped to the host by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import name_in_urls
from kindctl.models import Endpoint, ExposedPort, Forward, Object, PortMapping


@dataclass(frozen=True)
class HostPort:
    """See models.Exposure. `node_port` of each port is the pod's hostPort; `address` is one of the
    host's IP addresses."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    on_node = True

    def mappings(self) -> Sequence[PortMapping]:
        return tuple(PortMapping(port.local, port.node_port, self.address) for port in self.ports)

    def forwards(self) -> Sequence[Forward]:
        return ()

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(Endpoint(port.scheme, self.address, port.local, host) for port in self.ports)

    def shape(self, service: Object) -> None:
        """The pods are reached past it."""
