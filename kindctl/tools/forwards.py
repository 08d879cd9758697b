"""Forwarded ports, for real: a supervisor process an environment, and the words that it understands.
See kindctl.forward.supervisor for what is said over its socket."""

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
from kindctl.tools.protocols import ApiAccess, ForwardState, Host
from kindctl.tools.unix_sockets import short

ANSWER_SECONDS = 15.0
START_SECONDS = 10.0
END_SECONDS = 5.0
ATTEMPTS = 5

T = TypeVar("T")


class RealForwards:
    """See protocols.Forwards."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def list(self, environment: str) -> list[ForwardState]:
        answer = _asked(environment, {"do": "list"}) or {"forwards": []}
        return [
            ForwardState(
                forward=Forward(*found["forward"]),
                origin=found["origin"],
                pods=tuple(found["pods"]),
                connections=found["connections"],
                fault=found["fault"],
                last_failure=found["last_failure"],
            )
            for found in answer["forwards"]
        ]

    def process(self, environment: str) -> int | None:
        with _connected(environment) as line:
            return _peer(line) if line else None

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        wish = {"do": "add", "forward": _as_list(forward), "origin": origin}
        _unless_ending(lambda: self._told(environment, access, wish)).close()

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        wish = {"do": "hold", "forward": _as_list(forward)}
        with _unless_ending(lambda: self._told(environment, access, wish)) as line:
            line.settimeout(None)
            for text in line.makefile("r", encoding="utf-8"):
                yield json.loads(text)["failed"]

    def probe(self, environment: str, forward: Forward) -> str:
        answer = _asked(environment, {"do": "probe", "forward": _as_list(forward)})
        return str(answer["fault"]) if answer else "nothing is forwarded"

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        _asked(environment, {"do": "stop", "ports": [[f.address, f.local] for f in forwards]})

    def end(self, environment: str) -> bool:
        with _connected(environment) as line:
            if line is None:
                return False
            process = _peer(line)
            with suppress(KindctlError):  # it hangs: ended below
                _ask(line, {"do": "end"})
        if not self._gone(process):
            self._host.terminate(process)
        return True

    def _gone(self, process: int) -> bool:
        from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

        retrying = Retrying(
            retry=retry_if_result(bool),
            wait=wait_random(0.02, 0.1),
            stop=stop_after_delay(END_SECONDS),
            retry_error_callback=lambda _: True,
        )
        return not retrying(self._host.alive, process)

    def _told(self, environment: str, access: ApiAccess, wish: dict[str, Any]) -> socket.socket:
        """The line to the supervisor, once it has done so. Raises ToolError."""
        line = self._started(environment, access)
        try:
            _ask(line, wish)
        except BaseException:
            line.close()
            raise
        return line

    def _started(self, environment: str, access: ApiAccess) -> socket.socket:
        """A line to the supervisor, which is started where there is none. Raises ToolError."""
        from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

        line = _connect(environment)
        if line is None:
            self._spawn(environment, access)
            line = Retrying(
                retry=retry_if_result(lambda found: found is None),
                wait=wait_random(0.02, 0.1),
                stop=stop_after_delay(START_SECONDS),
                retry_error_callback=lambda _: None,
            )(_connect, environment)
        if line is None:
            raise ToolError(
                "the process that forwards ports did not start",
                why=f"its log: {_log(environment)}",
                code="forward",
            )
        return line

    def _spawn(self, environment: str, access: ApiAccess) -> None:
        # -P: "-m" would look for modules in the current folder first, which is a project of the user's
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
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(ANSWER_SECONDS)
    try:
        with short(path) as name:
            line.connect(name)
    except OSError:  # nobody has made it, or its maker is gone
        line.close()
        return None
    return line


@contextmanager
def _connected(environment: str) -> Iterator[socket.socket | None]:
    line = _connect(environment)
    try:
        yield line
    finally:
        if line is not None:
            line.close()


def _peer(line: socket.socket) -> int:
    """Its process, from the kernel (unix(7)): known even where it does not answer."""
    raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[0])


class _EndedError(ToolError):
    """It closed the line instead of an answer."""


def _unless_ending(ask: Callable[[], T]) -> T:
    """A supervisor that ends when it is asked has closed its socket by then: there is another, or none.
    That one may end as soon, where several forwards are changed at once."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

    ending = retry_if_exception_type(_EndedError)
    return Retrying(retry=ending, stop=stop_after_attempt(ATTEMPTS), reraise=True)(ask)


def _asked(environment: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """What the supervisor answers; None: there is none. Raises ToolError."""

    def ask() -> dict[str, Any] | None:
        with _connected(environment) as line:
            return _ask(line, request) if line else None

    return _unless_ending(ask)


def _ask(line: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    """Raises ToolError: what it answers instead, or that it does not."""
    try:
        line.sendall(json.dumps(request).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            part = line.recv(65536)
            if not part:
                raise ConnectionError("it has ended")
            text += part
    except OSError as error:
        kind = _EndedError if isinstance(error, ConnectionError) else ToolError
        raise kind(
            "the process that forwards ports does not answer",
            why=str(error),
            fix="kindctl forward list; kindctl up starts the forwards of the file again",
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
