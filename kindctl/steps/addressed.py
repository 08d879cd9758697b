"""Waits until a Service of type LoadBalancer has an external address."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kindctl.diagnose.causes import load_balancer_pending
from kindctl.diagnose.evidence import Evidence
from kindctl.live.addresses import external_address, service_ref
from kindctl.models import NotReady, Ready, State
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster

PENDING_SECONDS = 6.0
"""By then, a controller that assigns addresses has emitted an event for the Service."""


@dataclass(kw_only=True)
class Addressed(StepInCluster):
    """A step that is ready when the Service has an external address. It applies nothing.

    The step does not wait for pods: if nothing in the cluster assigns addresses, the user learns it while
    the pods are still starting.
    """

    external: str  # "namespace/name" of the Service
    timeout: float = 300.0  # a cloud may create a load balancer first
    clock: Callable[[], float] = time.monotonic
    _pending_since: float | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"address:{self.external}"

    @property
    def title(self) -> str:
        return f"Service {self.external} has an external address"

    def observe_in(self, cluster: Cluster) -> State:
        ref = service_ref(self.external)
        service = cluster.get(ref)
        if service is None:
            self._pending_since = None
            return NotReady(f"{ref} does not exist")
        if address := external_address(service):
            return Ready(address)
        now = self.clock()
        if self._pending_since is None:
            self._pending_since = now
        seen = f"{ref} has no external address yet"
        if now - self._pending_since < PENDING_SECONDS:
            return NotReady(seen)
        events = cluster.list("v1", "Event", namespace=ref.namespace)
        return NotReady(
            seen, load_balancer_pending.explain(Evidence(services=[service], events=events))
        )
