"""The step that waits until a Service of type LoadBalancer has an external address."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kindctl.diagnose.causes import load_balancer_pending
from kindctl.diagnose.evidence import Evidence
from kindctl.live.access import ask
from kindctl.live.addresses import external_address, service_ref
from kindctl.models import UNCHANGED, Change, NotReady, Progress, Ready, State, Wake
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Cluster

PENDING_SECONDS = 6.0
"""Whoever gives addresses has left a trace of it by then."""


@dataclass
class Addressed:
    """Holds when the Service has an external address; there is nothing to apply here.

    It waits for no pod: where nobody hands out addresses, that is told while they still start.
    """

    external: str  # "namespace/name"
    provider: Provider
    needs: frozenset[str]
    timeout: float = 300.0  # a cloud makes a machine for it
    clock: Callable[[], float] = time.monotonic
    wake: Wake | None = None
    _since: float | None = field(default=None, repr=False)  # of its being pending

    @property
    def name(self) -> str:
        return f"address:{self.external}"

    @property
    def title(self) -> str:
        return f"Service {self.external} has an external address"

    def observe(self) -> State:
        return ask(self.provider, self._look)

    def _look(self, cluster: Cluster) -> State:
        ref = service_ref(self.external)
        service = cluster.get(ref)
        if service is None:
            self._since = None
            return NotReady(f"{ref} is not there")
        if address := external_address(service):
            return Ready(address)
        now = self.clock()
        if self._since is None:
            self._since = now
        seen = f"{ref} has no external address yet"
        if now - self._since < PENDING_SECONDS:
            return NotReady(seen)
        events = cluster.list("v1", "Event", namespace=ref.namespace)
        return NotReady(
            seen, load_balancer_pending.explain(Evidence(services=[service], events=events))
        )

    def apply(self, progress: Progress) -> Change:
        return UNCHANGED
