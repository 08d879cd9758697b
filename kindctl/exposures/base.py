"""What the kinds of exposure share. The Protocol that they fulfil is models.Exposure."""

from __future__ import annotations

import ipaddress

from kindctl.models import Object

LOCALHOST = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def name_in_urls(address: str) -> str:
    """`localhost` may mean ::1 to a browser, which then tries 127.0.0.1 too (cloud-provider-kind#387);
    to any other address, 127.0.0.2 say, it never leads."""
    if address in LOCALHOST:
        return "localhost"
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address


def service_port(service: Object, port: int | str) -> Object:
    """The entry of a Service's ports with that number or name. Raises KeyError."""
    for entry in service["spec"]["ports"]:
        if port in (entry.get("port"), entry.get("name")):
            found: Object = entry
            return found
    raise KeyError(port)
