"""Forwarded ports in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kindctl.errors import MachineError, ToolError
from kindctl.models import Forward
from kindctl.tools.protocols import ApiAccess, ForwardState
from tests.fakes.net import FakeNet

PROCESS = 6000


@dataclass
class FakeForwards:
    """See protocols.Forwards. All is well behind a port but for what `faults` says of its Service."""

    net: FakeNet = field(default_factory=FakeNet)
    running: dict[str, list[ForwardState]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)  # "namespace/service" -> words

    def list(self, environment: str) -> list[ForwardState]:
        return [
            replace(state, fault=self._fault(state.forward))
            for state in self.running.get(environment, ())
        ]

    def process(self, environment: str) -> int | None:
        return PROCESS if environment in self.running else None

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        states = self.running.setdefault(environment, [])
        for state in states:
            if _place(state.forward) == _place(forward):
                if state.forward == forward:
                    return
                raise ToolError("could not add", code="forwarded")
        try:
            taken = self.net.owner(*_place(forward)) is not None
        except MachineError as error:
            self._forget(environment)
            raise ToolError("could not add", code="forward") from error
        if taken:
            self._forget(environment)
            raise ToolError("could not add", code="port-taken")
        self.net.listen(*_place(forward), "python", PROCESS)
        states.append(ForwardState(forward, origin, pods=(f"{forward.service}-1",)))

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        self.add(environment, access, forward, origin="held")
        try:
            if fault := self._fault(forward):
                yield fault
        finally:
            self.stop(environment, [forward])

    def probe(self, environment: str, forward: Forward) -> str:
        known = [state.forward for state in self.running.get(environment, ())]
        return self._fault(forward) if forward in known else "nothing is forwarded"

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        for state in list(self.running.get(environment, ())):
            if _place(state.forward) in map(_place, forwards):
                self.running[environment].remove(state)
                self.net.listeners.pop(_place(state.forward), None)
        self._forget(environment)

    def end(self, environment: str) -> bool:
        there = environment in self.running
        self.stop(environment, [state.forward for state in self.running.get(environment, ())])
        return there

    def _forget(self, environment: str) -> None:
        """The process ends with its last forward."""
        if not self.running.get(environment):
            self.running.pop(environment, None)

    def _fault(self, forward: Forward) -> str:
        return self.faults.get(f"{forward.namespace}/{forward.service}", "")


def _place(forward: Forward) -> tuple[str, int]:
    return forward.address, forward.local
