"""What the kinds of exposure share. They implement the Protocol models.Exposure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.kube_objects import is_tcp
from kindctl.models import Endpoint, ExposedPort, Forward, Object, PortMapping

LOCALHOST = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def name_in_urls(address: str) -> str:
    """Return the host that URLs contain for an address of this machine. This is `localhost` if `localhost`
    leads to the address, and otherwise the address itself.

    A browser may take `localhost` for ::1, and then tries 127.0.0.1 too (cloud-provider-kind#387).
    `localhost` never leads to any other address, such as 127.0.0.2.
    """
    if address in LOCALHOST:
        return "localhost"
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address


def service_port(service: Object, port: int | str) -> Object:
    """Return the TCP entry of a Service's ports with that number or name. An entry for UDP may have
    the same number, for HTTP/3 or DNS. Raises KeyError."""
    for entry in service["spec"]["ports"]:
        if is_tcp(entry) and port in (entry.get("port"), entry.get("name")):
            found: Object = entry
            return found
    raise KeyError(port)


@dataclass(frozen=True)
class OnThisMachine:
    """Ports of the host, bound to the IP address `address`, that lead to the Service. Subclasses override
    what their kind of exposure needs in addition."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    on_node = False
    service_type = ""

    def mappings(self) -> Sequence[PortMapping]:
        return ()

    def forwards(self) -> Sequence[Forward]:
        return ()

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(Endpoint(port.scheme, self.address, port.local, host) for port in self.ports)

    def shape(self, service: Object) -> None:
        """Leave the Service unchanged, since requests reach its pods without the Service."""


class Mapped(OnThisMachine):
    """Ports of the host that kind maps to ports of a node."""

    def mappings(self) -> Sequence[PortMapping]:
        return tuple(PortMapping(port.local, port.node_port, self.address) for port in self.ports)


def forward_to(port: ExposedPort, local: int, address: str) -> Forward:
    """Return the forward from the host's port `local`, bound to `address`, to a port of a Service."""
    return Forward(port.namespace, port.service, port.port, local, address)
