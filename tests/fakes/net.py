"""A network in memory: who listens where, and what answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kindctl.errors import MachineError, ToolError
from kindctl.tools.protocols import HttpAnswer, PortOwner

LAST_PORT = 65535
ANY = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Request:
    url: str
    path: str  # with its query
    host: str  # the Host header


Handler = Callable[[Request], HttpAnswer]


@dataclass
class FakeNet:
    """See protocols.Net for its public methods; the rest is for tests."""

    addresses: tuple[str, ...] = ("127.0.0.1", "::1", *ANY)  # that this machine has
    unprivileged_from: int = 0  # ports below are for root only
    listeners: dict[tuple[str, int], PortOwner] = field(default_factory=dict)
    handlers: dict[tuple[str, int], Handler] = field(default_factory=dict)  # by (address, port)
    certificates: dict[tuple[str, int], str] = field(default_factory=dict)  # PEM of a server's CA
    closing: set[tuple[str, int]] = field(default_factory=set)  # take a connection and close it
    names: dict[str, str] = field(default_factory=lambda: {"localhost": "127.0.0.1"})
    reachable_urls: set[str] = field(default_factory=set)

    def owner(self, address: str, port: int) -> PortOwner | None:
        self._has(address)
        owner = self._listener(address, port)
        if owner is None and port < self.unprivileged_from:
            raise MachineError(f"port {port} is for root only", code="port-privileged")
        return owner

    def free_port(self, address: str, wanted: Sequence[int]) -> int:
        self._has(address)
        for port in itertools.chain(wanted, range(32768, 61000)):
            if port > LAST_PORT:
                continue
            if port >= self.unprivileged_from and self._listener(address, port) is None:
                return port
        raise AssertionError("no port is free")

    def http(
        self,
        url: str,
        *,
        connect: tuple[str, int] | None = None,
        host: str = "",
        timeout: float = 3.0,
        ca: str | None = None,
    ) -> HttpAnswer:
        parts = urlsplit(url)
        name = parts.hostname or ""
        where = connect or (name, parts.port or {"http": 80, "https": 443}[parts.scheme])
        where = (self.names.get(where[0], where[0]), where[1])
        handler = self.handlers.get(where)
        if handler is None:
            raise ToolError(f"no answer from {url}", why="Connection refused", code="http")
        if parts.scheme == "https" and ca is not None and ca != self.certificates.get(where):
            why = "the certificate is not valid: unable to get local issuer certificate"
            raise ToolError(f"no secure answer from {url}", why=why, code="certificate")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = handler(Request(url, path, host or parts.netloc))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status, headers, answer.body)

    def opens(self, connect: tuple[str, int], timeout: float = 3.0) -> None:
        address, port = self.names.get(connect[0], connect[0]), connect[1]
        if (address, port) in self.closing:
            raise ToolError(
                f"nothing listens behind {address}:{port}",
                why="the connection was closed at once",
                code="tcp",
            )
        if self._listener(address, port) is None:
            raise ToolError(
                f"no answer from {address}:{port}", why="Connection refused", code="tcp"
            )

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        if url in self.reachable_urls:
            return True
        try:
            return self.http(url).status < 500
        except ToolError:
            return False

    def listen(self, address: str, port: int, program: str = "nginx", pid: int = 4711) -> None:
        self.listeners[address, port] = PortOwner(pid, program)

    def serve(self, address: str, port: int, handler: Handler, program: str = "server") -> None:
        self.listen(address, port, program)
        self.handlers[address, port] = handler

    def _has(self, address: str) -> None:
        if self.names.get(address, address) not in self.addresses:
            raise MachineError(f"{address} cannot be bound", code="port-address")

    def _listener(self, address: str, port: int) -> PortOwner | None:
        for (taken, taken_port), owner in self.listeners.items():
            if port == taken_port and (taken in (address, *ANY) or address in ANY):
                return owner
        return None
