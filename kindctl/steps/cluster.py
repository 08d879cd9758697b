"""Creates the cluster, or starts to use an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Change, Progress, State
from kindctl.providers.base import Provider
from kindctl.steps.base import BaseStep


@dataclass(kw_only=True)
class ClusterReady(BaseStep):
    """Holds when the API answers and, in a cluster that kindctl made, all nodes are Ready.
    Reaches the milestones `containerd` and then `api`."""

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
