"""A port of the host that kindctl forwards to ready pods of a Service, through the API server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.exposures.base import name_in_urls
from kindctl.models import Endpoint, ExposedPort, Forward, Object, PortMapping


@dataclass(frozen=True)
class PortForward:
    """See models.Exposure. `address` is one of the host's IP addresses. Nothing of the cluster has to
    be made for it, and any cluster has it."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    on_node = False
    service_type = ""

    def mappings(self) -> Sequence[PortMapping]:
        return ()

    def forwards(self) -> Sequence[Forward]:
        return tuple(
            Forward(port.namespace, port.service, port.port, port.local, self.address)
            for port in self.ports
        )

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(Endpoint(port.scheme, self.address, port.local, host) for port in self.ports)

    def shape(self, service: Object) -> None:
        """The pods are reached past it."""
