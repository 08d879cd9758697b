"""What the kinds of exposure share. The Protocol that they fulfil is models.Exposure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.kube_objects import is_tcp
from kindctl.models import Endpoint, ExposedPort, Forward, Object, PortMapping

LOCALHOST = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def name_in_urls(address: str) -> str:
    """`localhost` may mean ::1 to a browser, which then tries 127.0.0.1 too (cloud-provider-kind#387);
    to any other address, 127.0.0.2 say, it never leads."""
    if address in LOCALHOST:
        return "localhost"
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address


def service_port(service: Object, port: int | str) -> Object:
    """The TCP entry of a Service's ports with that number or name: HTTP/3 and DNS have the same number
    for UDP. Raises KeyError."""
    for entry in service["spec"]["ports"]:
        if is_tcp(entry) and port in (entry.get("port"), entry.get("name")):
            found: Object = entry
            return found
    raise KeyError(port)


@dataclass(frozen=True)
class Mapped:
    """Ports of the host that kind maps to ports of a node; `address` is one of the host's IP addresses."""

    ports: Sequence[ExposedPort]
    address: str = "127.0.0.1"

    def mappings(self) -> Sequence[PortMapping]:
        return tuple(PortMapping(port.local, port.node_port, self.address) for port in self.ports)

    def forwards(self) -> Sequence[Forward]:
        return ()

    def endpoints(self) -> Sequence[Endpoint]:
        host = name_in_urls(self.address)
        return tuple(Endpoint(port.scheme, self.address, port.local, host) for port in self.ports)
