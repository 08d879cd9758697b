"""Sockets and servers of this process, for the contract tests of Net."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kindctl.tools.net import RealNet
from tests.fakes.net import Request
from tests.support.benches import Handler
from tests.support.certificates import authority


class RealNetBench:
    def __init__(self, stack: ExitStack) -> None:
        self.net = RealNet()
        self._stack = stack

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[RealNetBench]:
        with ExitStack() as stack:
            yield cls(stack)

    def listen(self, address: str) -> int:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = self._stack.enter_context(socket.socket(family))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, 0))
        server.listen()
        return int(server.getsockname()[1])

    def just_closed(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
            with socket.create_connection(("127.0.0.1", port)) as client:
                accepted, _ = server.accept()
                accepted.close()  # the side that closes first keeps the connection in TIME_WAIT
                client.recv(1)
        return port

    def slam(self) -> int:
        server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def close_each() -> None:
            with suppress(OSError):  # the test is over
                while True:
                    server.accept()[0].close()

        threading.Thread(target=close_each, daemon=True).start()
        return int(server.getsockname()[1])

    def serve(self, handler: Handler, *, tls: bool = False) -> tuple[str, int]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_class(handler))
        if tls:
            server.socket = _server_context().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        return "127.0.0.1", server.server_port


def _handler_class(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = handler(Request(self.path, self.path, self.headers["Host"]))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    return Answering


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as chain:
        chain.write(authority().server)
        chain.flush()
        context.load_cert_chain(chain.name)
    context.sni_callback = _want_shop
    return context


def _want_shop(
    connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: object
) -> int | None:
    """Fail the handshake unless the client names the right server, as an ingress controller may."""
    return None if name == "shop.test" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's privileges for a while, where this process has them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
