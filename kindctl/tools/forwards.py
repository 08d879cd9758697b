"""The real Forwards: starts the supervisor process of an environment, and sends it requests over a socket.

kindctl.forward.supervisor describes the requests and answers.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from kindctl.errors import KindctlError, ToolError
from kindctl.models import Forward
from kindctl.paths import forward_socket
from kindctl.runner.polling import poll
from kindctl.tools.protocols import ApiAccess, ForwardState, Host
from kindctl.tools.unix_sockets import short_name

ANSWER_SECONDS = 15.0
START_SECONDS = 10.0
END_SECONDS = 5.0
PAUSE = (0.02, 0.1)  # seconds between two questions
ATTEMPTS = 5

T = TypeVar("T")


class RealForwards:
    """Implements protocols.Forwards."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def list(self, environment: str) -> list[ForwardState]:
        answer = _answer(environment, {"do": "list"}) or {"forwards": []}
        return [
            ForwardState(
                **{**state, "forward": Forward(*state["forward"]), "pods": tuple(state["pods"])}
            )
            for state in answer["forwards"]
        ]

    def process(self, environment: str) -> int | None:
        with _connected(environment) as connection:
            return _peer(connection) if connection else None

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        request = {"do": "add", "forward": _as_list(forward), "origin": origin}
        _retry_if_ending(lambda: self._request(environment, access, request)).close()

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        request = {"do": "hold", "forward": _as_list(forward)}
        with _retry_if_ending(lambda: self._request(environment, access, request)) as connection:
            connection.settimeout(None)
            for text in connection.makefile("r", encoding="utf-8"):
                yield json.loads(text)["failed"]

    def probe(self, environment: str, forward: Forward) -> str:
        answer = _answer(environment, {"do": "probe", "forward": _as_list(forward)})
        return str(answer["fault"]) if answer else "nothing is forwarded"

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        _answer(environment, {"do": "stop", "ports": [[f.address, f.local] for f in forwards]})

    def end(self, environment: str) -> bool:
        with _connected(environment) as connection:
            if connection is None:
                return False
            process = _peer(connection)
            with suppress(KindctlError):  # if the process hangs, it is terminated below
                _send(connection, {"do": "end"})
        if not poll(
            lambda: not self._host.alive(process), until=bool, seconds=END_SECONDS, pause=PAUSE
        ):
            self._host.terminate(process)
        return True

    def _request(
        self, environment: str, access: ApiAccess, request: dict[str, Any]
    ) -> socket.socket:
        """Send a request to the supervisor, starting it if necessary. Returns the open connection.

        Raises ToolError.
        """
        connection = self._connect_or_start(environment, access)
        try:
            _send(connection, request)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_or_start(self, environment: str, access: ApiAccess) -> socket.socket:
        """Connect to the supervisor, starting it if necessary. Raises ToolError."""
        connection = _connect(environment)
        if connection is None:
            self._spawn(environment, access)
            connection = poll(
                lambda: _connect(environment), until=bool, seconds=START_SECONDS, pause=PAUSE
            )
        if connection is None:
            raise ToolError(
                "the process that forwards ports did not start",
                why=f"see the log of the process: {_log(environment)}",
                code="forward",
            )
        return connection

    def _spawn(self, environment: str, access: ApiAccess) -> None:
        # -P, because -m would look for modules in the current folder first: the user's project
        command = [sys.executable, "-P", "-m", "kindctl.forward"]
        command += [environment, str(access.kubeconfig)]
        command += ["--context", access.context] if access.context else []
        command += ["--on-kind"] if access.on_kind else []
        self._host.spawn(command, _log(environment))


def _log(environment: str) -> Path:
    return forward_socket(environment).with_suffix(".log")


def _connect(environment: str) -> socket.socket | None:
    path = forward_socket(environment)
    if not path.parent.is_dir():
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(ANSWER_SECONDS)
    try:
        with short_name(path) as name:
            connection.connect(name)
    except OSError:  # there is no socket, or the supervisor behind it has ended
        connection.close()
        return None
    return connection


@contextmanager
def _connected(environment: str) -> Iterator[socket.socket | None]:
    connection = _connect(environment)
    try:
        yield connection
    finally:
        if connection is not None:
            connection.close()


def _peer(connection: socket.socket) -> int:
    """Return the ID of the process at the other end of the socket.

    The kernel knows this ID even if the process hangs (unix(7)).
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[0])


class _EndedError(ToolError):
    """The supervisor exited instead of answering."""


def _retry_if_ending(ask: Callable[[], T]) -> T:
    """Call `ask` again if the supervisor exited instead of answering.

    The socket of the exited supervisor is closed, so the next attempt finds another supervisor or none. If
    several processes change forwards at the same time, the other supervisor may exit just as soon.
    """
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

    ending = retry_if_exception_type(_EndedError)
    return Retrying(retry=ending, stop=stop_after_attempt(ATTEMPTS), reraise=True)(ask)


def _answer(environment: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """Send a request and return the supervisor's answer, or None if no supervisor runs. Raises
    ToolError."""

    def ask() -> dict[str, Any] | None:
        with _connected(environment) as connection:
            return _send(connection, request) if connection else None

    return _retry_if_ending(ask)


def _send(connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request and read the answer. Raises ToolError if no answer arrives, or if it is an error."""
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("the process has exited")
            text += part
    except OSError as error:
        kind = _EndedError if isinstance(error, ConnectionError) else ToolError
        raise kind(
            "the process that forwards ports does not answer",
            why=str(error),
            fix="run `kindctl forward list`, and `kindctl up` to restart the forwards of kindctl.yaml",
            code="forward",
        ) from error
    answer: dict[str, Any] = json.loads(text)
    if "error" in answer:
        raise ToolError(
            f"could not {request['do']}: {answer['error']}",
            why=answer["error"],
            code=answer["code"],
        )
    return answer


def _as_list(forward: Forward) -> list[Any]:
    return [forward.namespace, forward.service, forward.port, forward.local, forward.address]
