"""What steps and commands ask of the process that forwards ports, and what a refusal of it means."""

from __future__ import annotations

from collections.abc import Iterable

from kindctl.errors import MachineError, ToolError, UsageError
from kindctl.models import Forward
from kindctl.tools.protocols import ApiAccess, Forwards, ForwardState, Net

FROM_FILE, FROM_COMMAND = "file", "command"
"""Origins of a forward: kindctl.yaml, or `kindctl forward`."""


def forward_from(forwards: Forwards, environment: str, port: Forward) -> ForwardState | None:
    """Whatever is forwarded from the local address and port of `port` at present; None: nothing is."""
    local = (port.address, port.local)
    states = forwards.list(environment)
    return next((s for s in states if (s.forward.address, s.forward.local) == local), None)


def leftover_forwards(states: Iterable[ForwardState], wanted: Iterable[Forward]) -> list[Forward]:
    """Forwards that kindctl.yaml once asked for and no longer does."""
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
    """Have a port forwarded. Raises what refusal() makes of an error: UsageError, MachineError."""
    try:
        forwards.add(environment, access, forward, origin=origin)
    except ToolError as error:
        raise refusal(error, forwards, net, environment, forward) from error


def refusal(
    error: ToolError, forwards: Forwards, net: Net, environment: str, forward: Forward
) -> Exception:
    """The error for the user when a port could not be forwarded: who has the port, and which one is free.
    Raises MachineError for an address or port that this machine cannot bind at all."""
    if error.code == "forwarded" and (state := forward_from(forwards, environment, forward)):
        return already_forwarded(state.forward)
    owner = net.owner(forward.address, forward.local)  # raises where it cannot be bound at all
    if error.code != "port-taken":
        return error
    who = "another program"
    if owner is not None and owner.program:
        who = owner.program + (f" (process {owner.pid})" if owner.pid else "")
    free = net.free_port(forward.address, range(forward.local + 1, forward.local + 20))
    return MachineError(
        f"{forward.address}:{forward.local} is taken by {who}",
        fix=f"stop it, or forward from port {free} instead of {forward.local}",
        code="port-taken",
    )


def already_forwarded(forward: Forward) -> UsageError:
    return UsageError(
        f"{forward.address}:{forward.local} is forwarded to {target(forward)} already",
        fix=f"kindctl forward stop {forward.local}, or use another port",
        code="forwarded",
    )


def describe(forward: Forward) -> str:
    """For people: "localhost:8080 to shop/web:80"."""
    host = "localhost" if forward.address == "127.0.0.1" else forward.address
    return f"{host}:{forward.local} to {target(forward)}"


def target(forward: Forward) -> str:
    return f"{forward.namespace}/{forward.service}:{forward.port}"
