"""Removes what kindctl once applied and the configuration no longer asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.forward.client import describe, leftover_forwards
from kindctl.live.applied import identity, leftovers, remove
from kindctl.live.desired import inventory
from kindctl.live.drift_state import few
from kindctl.models import (
    SYSTEM_NAMESPACE,
    Change,
    Differs,
    Forward,
    ObjectRef,
    Progress,
    Ready,
    State,
)
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster, Forwards


@dataclass(kw_only=True)
class Pruned(StepInCluster):
    """A step that is ready when the environment has no leftovers: objects, containers or forwards that its
    configuration does not ask for.

    An object is deleted only if it has kindctl's labels and kindctl's field manager applied it. A namespace
    is deleted only if it contains no object that somebody else created.
    """

    name: str
    title: str
    components: Sequence[Component]
    environment: str
    forwards: Forwards
    forwarded: Sequence[Forward] = ()  # what the configuration asks for

    def observe_in(self, cluster: Cluster) -> State:
        refs, notes = self._leftovers(cluster)
        forwards = [f"forward {describe(forward)}" for forward in self._leftover_forwards()]
        surplus = [*sorted(map(str, refs)), *self.provider.surplus(), *forwards]
        if not surplus:
            return Ready("; ".join(notes))
        return Differs(f"no longer in the configuration: {few(surplus)}")

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        refs, _ = self._leftovers(cluster)
        forwards = self._leftover_forwards()
        if forwards:
            self.forwards.stop(self.environment, forwards)
        stopped = [f"stopped forwarding {describe(forward)}" for forward in forwards]
        return Change((*remove(cluster, refs), *self.provider.prune().done, *stopped))

    def _leftover_forwards(self) -> list[Forward]:
        return leftover_forwards(self.forwards.list(self.environment), self.forwarded)

    def _leftovers(self, cluster: Cluster) -> tuple[list[ObjectRef], list[str]]:
        wanted = inventory(self.components, cluster, self.environment)
        keep = frozenset(identity(ref) for ref in wanted)
        used = {namespace for _, _, namespace, _ in keep} | {SYSTEM_NAMESPACE}
        return leftovers(cluster, self.environment, keep=keep, used=used)
