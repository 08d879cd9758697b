"""Functions for the steps and commands that deal with forwarded ports."""

from __future__ import annotations

from collections.abc import Iterable

from kindctl.errors import MachineError, ToolError, UsageError
from kindctl.models import Forward
from kindctl.tools.protocols import ApiAccess, Forwards, ForwardState, Net

FROM_FILE, FROM_COMMAND = "file", "command"
"""Values of ForwardState.origin: the forward is from kindctl.yaml, or from `kindctl forward`."""


def forward_from(forwards: Forwards, environment: str, port: Forward) -> ForwardState | None:
    """Return the existing forward with the local address and port of `port`, or None."""
    local = (port.address, port.local)
    states = forwards.list(environment)
    return next((s for s in states if (s.forward.address, s.forward.local) == local), None)


def leftover_forwards(states: Iterable[ForwardState], wanted: Iterable[Forward]) -> list[Forward]:
    """Return the forwards that came from kindctl.yaml but are no longer in that file.

    `wanted` contains the forwards that are in the file now.
    """
    keep = set(wanted)
    return [s.forward for s in states if s.origin == FROM_FILE and s.forward not in keep]


def add_forward(
    forwards: Forwards,
    net: Net,
    environment: str,
    access: ApiAccess,
    forward: Forward,
    *,
    origin: str,
) -> None:
    """Start a forward. Raises the error that refusal() returns: UsageError, MachineError or ToolError."""
    try:
        forwards.add(environment, access, forward, origin=origin)
    except ToolError as error:
        raise refusal(error, forwards, net, environment, forward) from error


def refusal(
    error: ToolError, forwards: Forwards, net: Net, environment: str, forward: Forward
) -> Exception:
    """Return the error for a port that cannot be forwarded. The error names the user of the port, and a
    free port.

    Raises MachineError if this machine can never bind the address or port.
    """
    if error.code == "forwarded" and (state := forward_from(forwards, environment, forward)):
        return already_forwarded(state.forward)
    owner = net.owner(forward.address, forward.local)  # raises if it can never be bound
    if error.code != "port-taken":
        return error
    who = "another program"
    if owner is not None and owner.program:
        who = owner.program + (f" (process {owner.pid})" if owner.pid else "")
    free = net.free_port(forward.address, range(forward.local + 1, forward.local + 20))
    return MachineError(
        f"{forward.address}:{forward.local} is taken by {who}",
        fix=f"stop that program, or forward from port {free} instead of {forward.local}",
        code="port-taken",
    )


def already_forwarded(forward: Forward) -> UsageError:
    return UsageError(
        f"{forward.address}:{forward.local} is already forwarded to {target(forward)}",
        fix=f"run `kindctl forward stop {forward.local}`, or use another port",
        code="forwarded",
    )


def describe(forward: Forward) -> str:
    """Return a description for messages: "localhost:8080 to shop/web:80"."""
    host = "localhost" if forward.address == "127.0.0.1" else forward.address
    return f"{host}:{forward.local} to {target(forward)}"


def target(forward: Forward) -> str:
    return f"{forward.namespace}/{forward.service}:{forward.port}"
