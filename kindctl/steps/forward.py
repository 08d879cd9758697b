"""The step that forwards a port of this machine to a Service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kindctl.errors import MachineError, ToolError, UsageError
from kindctl.models import (
    Absent,
    Change,
    Differs,
    Forward,
    NotReady,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.tools.protocols import ApiAccess, Forwards, ForwardState, Net

FROM_FILE, FROM_COMMAND = "file", "command"


@dataclass
class Forwarded:
    """Holds when the environment's supervisor forwards the port, and a connection got through."""

    forward: Forward
    forwards: Forwards
    net: Net
    provider: Provider
    environment: str
    needs: frozenset[str]
    timeout: float = 60.0

    wake: Wake | None = None

    @property
    def name(self) -> str:
        return f"forward:{self.forward.local}"

    @property
    def title(self) -> str:
        return f"forward {words(self.forward)}"

    def observe(self) -> State:
        there = self.there()
        if there is None:
            return Absent("not forwarded")
        if there.forward != self.forward:
            return Differs(f"forwarded to {target(there.forward)}")
        fault = self.forwards.probe(self.environment, self.forward)
        return NotReady(fault) if fault else Ready(", ".join(there.pods))

    def apply(self, progress: Progress) -> Change:
        """Raises UsageError where the user has forwarded the port elsewhere by hand, MachineError where
        somebody else has it."""
        there = self.there()
        if there is not None:
            if there.origin != FROM_FILE:
                raise forwarded_already(there.forward)
            self.forwards.stop(self.environment, [there.forward])
        access = access_of(self.provider)
        add(self.forwards, self.net, self.environment, access, self.forward, origin=FROM_FILE)
        return Change((f"forwarded {words(self.forward)}",))

    def there(self) -> ForwardState | None:
        """Whatever is forwarded from that port."""
        place = (self.forward.address, self.forward.local)
        for state in self.forwards.list(self.environment):
            if (state.forward.address, state.forward.local) == place:
                return state
        return None


def leftovers(states: Iterable[ForwardState], wanted: Iterable[Forward]) -> list[Forward]:
    """What the file had forwarded once, and no longer names."""
    keep = set(wanted)
    return [s.forward for s in states if s.origin == FROM_FILE and s.forward not in keep]


def access_of(provider: Provider) -> ApiAccess:
    return ApiAccess(provider.kubeconfig, provider.context, on_kind=provider.name == "kind")


def add(
    forwards: Forwards,
    net: Net,
    environment: str,
    access: ApiAccess,
    forward: Forward,
    *,
    origin: str,
) -> None:
    """Raises UsageError, MachineError: see explained()."""
    try:
        forwards.add(environment, access, forward, origin=origin)
    except ToolError as error:
        raise explained(error, forwards, net, environment, forward) from error


def explained(
    error: ToolError, forwards: Forwards, net: Net, environment: str, forward: Forward
) -> Exception:
    """Why a port could not be forwarded: who has it, and which to take instead."""
    if error.code == "forwarded":
        place = (forward.address, forward.local)
        for state in forwards.list(environment):
            if (state.forward.address, state.forward.local) == place:
                return forwarded_already(state.forward)
    owner = net.owner(forward.address, forward.local)  # raises where it cannot be bound at all
    if error.code != "port-taken":
        return error
    who = "another program"
    if owner is not None and owner.program:
        who = owner.program + (f" (process {owner.pid})" if owner.pid else "")
    free = net.free_port(forward.address, range(forward.local + 1, forward.local + 20))
    return MachineError(
        f"{forward.address}:{forward.local} is taken by {who}",
        fix=f"stop it, or forward from {free} instead of {forward.local}",
        code="port-taken",
    )


def forwarded_already(forward: Forward) -> UsageError:
    return UsageError(
        f"{forward.address}:{forward.local} is forwarded to {target(forward)} already",
        fix=f"kindctl forward stop {forward.local}, or take another port",
        code="forwarded",
    )


def words(forward: Forward) -> str:
    host = "localhost" if forward.address == "127.0.0.1" else forward.address
    return f"{host}:{forward.local} to {target(forward)}"


def target(forward: Forward) -> str:
    return f"{forward.namespace}/{forward.service}:{forward.port}"
