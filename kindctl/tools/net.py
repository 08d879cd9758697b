"""The real Net: ports of this machine, and HTTP requests from it."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kindctl.errors import MachineError, ToolError
from kindctl.tools.protocols import HttpAnswer, PortOwner

if TYPE_CHECKING:
    import ssl
    from http.client import HTTPResponse

BODY_LIMIT = 4 * 1024 * 1024
"""How many bytes of a response body are read at most: enough for any page that kindctl checks."""

STAYS_OPEN = 0.15
"""A connection that is still open after this many seconds counts as accepted."""

LAST_PORT = 65535

_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound


class RealNet:
    """Implements protocols.Net.

    `owner` looks for the port among the listening sockets of this machine. The owner of a port that a
    container publishes is docker-proxy or rootlesskit. Only the engine knows which container that is.
    """

    def owner(self, address: str, port: int) -> PortOwner | None:
        try:
            _bind(address, port)
        except PermissionError as error:
            # The kernel refuses this before it checks whether the port is taken.
            listener = _listener(address, port)
            if listener is None:
                raise _privileged(address, port) from error
            return listener
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return _listener(address, port) or PortOwner(None, "")
            raise _unbindable(f"{address}:{port}", error) from error
        return None

    def free_port(self, address: str, wanted: Sequence[int]) -> int:
        for port in wanted:
            with suppress(OSError):
                if port <= LAST_PORT:
                    return _bind(address, port)
        try:
            return _bind(address, 0)
        except OSError as error:
            raise _unbindable(address, error) from error

    def http(
        self,
        url: str,
        *,
        connect: tuple[str, int] | None = None,
        host: str = "",
        timeout: float = 3.0,
        ca: str | None = None,
    ) -> HttpAnswer:
        import http.client
        import ssl
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        name = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        deadline = time.monotonic() + timeout
        connection = http.client.HTTPConnection(name, port, timeout=timeout)
        try:
            connection.sock = socket.create_connection(connect or (name, port), timeout)
            if parts.scheme == "https":
                context = _tls(ca)
                connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Host": host or parts.netloc.rsplit("@", 1)[-1], "User-Agent": "kindctl"}
            connection.request("GET", target, headers={**headers, "Connection": "close"})
            response = connection.getresponse()
            return HttpAnswer(response.status, _headers(response), _body(response, deadline))
        except ssl.SSLCertVerificationError as error:
            why = f"the certificate is not valid: {error.verify_message}"
            raise ToolError(f"no secure answer from {url}", why=why, code="certificate") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = str(error) or type(error).__name__
            raise ToolError(f"no answer from {url}", why=why, code="http") from error
        finally:
            connection.close()

    def opens(self, connect: tuple[str, int], timeout: float = 3.0) -> None:
        where = f"{connect[0]}:{connect[1]}"
        try:
            client = socket.create_connection(connect, timeout)
        except OSError as error:
            why = error.strerror or str(error)
            raise ToolError(f"no answer from {where}", why=why, code="tcp") from error
        with client:
            client.settimeout(STAYS_OPEN)
            try:
                closed = client.recv(1) == b""
            except TimeoutError:  # still open: the other side waits for the client to start
                return
            except OSError:
                closed = True
        if closed:
            raise ToolError(
                f"nothing listens behind {where}",
                why="the connection was closed at once",
                code="tcp",
            )

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        # In a thread, because a resolver that does not answer may block for longer than any timeout.
        answers: list[bool] = []
        thread = threading.Thread(
            target=lambda: answers.append(_answers(url, timeout)), daemon=True
        )
        thread.start()
        thread.join(timeout)
        return answers == [True]


def _bind(address: str, port: int) -> int:
    """Bind a port, release it, and return its number. Raises OSError.

    Like servers, this function sets SO_REUSEADDR. So connections in TIME_WAIT do not prevent the bind, but
    a listener on this address or on all addresses does.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except UnicodeError as error:  # not even a valid host name
            raise OSError(errno.EADDRNOTAVAIL, str(error)) from error
        return int(probe.getsockname()[1])


def _unbindable(where: str, error: OSError) -> MachineError:
    return MachineError(
        f"cannot bind {where} on this machine",
        why=error.strerror or str(error),
        fix="use an address of this machine, such as 127.0.0.1",
        code="port-address",
    )


def _listener(address: str, port: int) -> PortOwner | None:
    """Return the process that listens on the port, or None if there is none.

    The fields of the result may be empty, because only root can see the processes of other users.
    """
    import psutil

    listeners = [
        connection
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == port
        and (address in _ANY or connection.laddr.ip in (address, *_ANY))
    ]
    if not listeners:
        return None
    pid = next((connection.pid for connection in listeners if connection.pid), None)
    if pid is None:
        return PortOwner(None, "")
    try:
        return PortOwner(pid, psutil.Process(pid).name())
    except psutil.Error:
        return PortOwner(pid, "")


def _privileged(address: str, port: int) -> MachineError:
    setting = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    first = setting.read_text().strip() if setting.exists() else "1024"
    return MachineError(
        f"user {os.geteuid()} may not bind port {port} on {address}",
        why=f"ports below {first} are reserved (net.ipv4.ip_unprivileged_port_start={first})",
        fix=f"use a port from {first} up, or run "
        f"`sudo sysctl -w net.ipv4.ip_unprivileged_port_start={port}`",
        code="port-privileged",
    )


def _tls(ca: str | None) -> ssl.SSLContext:
    import ssl

    if ca is not None:
        return ssl.create_default_context(cadata=ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _headers(response: HTTPResponse) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _body(response: HTTPResponse, deadline: float) -> bytes:
    """Read the body, but only until the deadline, since a stream of events never ends."""
    body = b""
    while len(body) < BODY_LIMIT and time.monotonic() < deadline:
        chunk = response.read1(BODY_LIMIT - len(body))
        if not chunk:
            break
        body += chunk
    return body


def _answers(url: str, timeout: float) -> bool:
    from urllib.error import HTTPError
    from urllib.request import Request, build_opener

    request = Request(url, headers={"User-Agent": "kindctl"})  # noqa: S310 - http(s) by the caller
    try:  # with a new opener, because the shared one keeps the proxies of its first call
        with build_opener().open(request, timeout=timeout) as answer:
            return bool(answer.status < 500)
    except HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False
