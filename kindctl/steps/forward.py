"""Forwards a port of this machine to a Service."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.forward.client import (
    FROM_FILE,
    add_forward,
    already_forwarded,
    describe,
    forward_from,
    target,
)
from kindctl.models import Absent, Change, Differs, Forward, NotReady, Progress, Ready, State
from kindctl.providers.base import Provider
from kindctl.steps.base import BaseStep
from kindctl.tools.protocols import ApiAccess, Forwards, ForwardState, Net


@dataclass(kw_only=True)
class Forwarded(BaseStep):
    """A step that is ready when the environment's forwarding process forwards the port and a connection
    succeeds."""

    forward: Forward
    forwards: Forwards
    net: Net
    provider: Provider
    environment: str

    @property
    def name(self) -> str:
        return f"forward:{self.forward.local}"

    @property
    def title(self) -> str:
        return f"forward {describe(self.forward)}"

    def observe(self) -> State:
        state = self.present_forward()
        if state is None:
            return Absent("not forwarded")
        if state.forward != self.forward:
            return Differs(f"forwarded to {target(state.forward)}")
        failure = self.forwards.probe(self.environment, self.forward)
        return NotReady(failure) if failure else Ready(", ".join(state.pods))

    def apply(self, progress: Progress) -> Change:
        """Forward the port. Raises UsageError if the user has already forwarded the port to something else
        with `kindctl forward`, and MachineError if another program uses the port."""
        state = self.present_forward()
        if state is not None:
            if state.origin != FROM_FILE:
                raise already_forwarded(state.forward)
            self.forwards.stop(self.environment, [state.forward])
        access = access_to(self.provider)
        add_forward(
            self.forwards, self.net, self.environment, access, self.forward, origin=FROM_FILE
        )
        return Change((f"forwarded {describe(self.forward)}",))

    def present_forward(self) -> ForwardState | None:
        """Return the current forward of this step's local port, even if that forward leads to another
        target. Return None if nothing forwards the port."""
        return forward_from(self.forwards, self.environment, self.forward)


def access_to(provider: Provider) -> ApiAccess:
    """Return how the forwarding process reaches the API of the provider's cluster."""
    return ApiAccess(provider.kubeconfig, provider.context, on_kind=provider.name == "kind")
