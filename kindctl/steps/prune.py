"""The step that removes what kindctl once applied and the configuration no longer holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.live.access import ask
from kindctl.live.applied import identity, remove, surplus_of
from kindctl.live.desired import inventory
from kindctl.models import (
    SYSTEM_NAMESPACE,
    UNCHANGED,
    Change,
    Differs,
    Forward,
    ObjectRef,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.steps.forward import leftovers, words
from kindctl.tools.protocols import Cluster, Forwards


@dataclass
class Pruned:
    """Holds when there is nothing of this environment, in the cluster or beside it, that its
    configuration does not ask for.

    Only what carries our labels and was applied by our field manager is deleted; a namespace only when
    nobody else has put anything into it.
    """

    name: str
    title: str
    needs: frozenset[str]
    components: Sequence[Component]
    provider: Provider
    environment: str
    forwards: Forwards
    forwarded: Sequence[Forward] = ()  # by the configuration
    timeout: float = 60.0
    wake: Wake | None = None

    def observe(self) -> State:
        return ask(self.provider, self._look)

    def _look(self, cluster: Cluster) -> State:
        surplus, stays = self._surplus(cluster)
        every = [*sorted(str(ref) for ref in surplus), *self.provider.surplus(), *self._forwarded()]
        if not every:
            return Ready("; ".join(stays))
        names = ", ".join(every[:3])
        more = f" and {len(every) - 3} more" if len(every) > 3 else ""
        return Differs(f"no longer in the configuration: {names}{more}")

    def apply(self, progress: Progress) -> Change:
        cluster = self.provider.cluster()
        if cluster is None:
            return UNCHANGED
        surplus, _ = self._surplus(cluster)
        leftovers = self._leftovers()
        if leftovers:
            self.forwards.stop(self.environment, leftovers)
        stopped = [f"stopped forwarding {words(forward)}" for forward in leftovers]
        return Change((*remove(cluster, surplus), *self.provider.prune().done, *stopped))

    def _forwarded(self) -> list[str]:
        return [f"forward {words(forward)}" for forward in self._leftovers()]

    def _leftovers(self) -> list[Forward]:
        return leftovers(self.forwards.list(self.environment), self.forwarded)

    def _surplus(self, cluster: Cluster) -> tuple[list[ObjectRef], list[str]]:
        wanted = inventory(self.components, cluster, self.environment)
        keep = frozenset(identity(ref) for ref in wanted)
        used = {namespace for _, _, namespace, _ in keep} | {SYSTEM_NAMESPACE}
        return surplus_of(cluster, self.environment, keep=keep, used=used)
