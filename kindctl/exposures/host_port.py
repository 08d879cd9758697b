"""Ports of the node on which the controller's pod listens, mapped to the host by kind."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.models import Endpoint, PortMapping

HTTP, HTTPS = 80, 443
"""Host ports of the pod, on the node: those of the stock manifests. Only the host's may differ."""

LOCALHOST = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class HostPort:
    """`address` is one of the host's IP addresses; `http` and `https` are its ports."""

    address: str = "127.0.0.1"
    http: int = 80
    https: int = 443

    def mappings(self) -> Sequence[PortMapping]:
        return (
            PortMapping(self.http, HTTP, self.address),
            PortMapping(self.https, HTTPS, self.address),
        )

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("http", self.address, self.http, self._host()),
            Endpoint("https", self.address, self.https, self._host()),
        )

    def _host(self) -> str:
        """The name in URLs. `localhost` may mean ::1 to a browser, which then tries 127.0.0.1 too
        (cloud-provider-kind#387); to any other address, 127.0.0.2 say, it never leads."""
        if self.address in LOCALHOST:
            return "localhost"
        bracketed = ipaddress.ip_address(self.address).version == 6
        return f"[{self.address}]" if bracketed else self.address
