"""Creates the cluster, or connects to an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Change, Progress, State
from kindctl.providers.base import Provider
from kindctl.steps.base import BaseStep


@dataclass(kw_only=True)
class ClusterReady(BaseStep):
    """A step that is ready when the API answers and, in a cluster that kindctl created, all nodes are
    Ready. It reaches the milestones `containerd` and then `api`."""

    provider: Provider
    timeout: float = 300.0

    name = "cluster"

    @property
    def title(self) -> str:
        return self.provider.title

    def observe(self) -> State:
        return self.provider.observe()

    def apply(self, progress: Progress) -> Change:
        return self.provider.create(progress)
