"""The step that makes the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Change, Progress, State, Wake
from kindctl.providers.base import Provider


@dataclass
class ClusterStep:
    """Holds when the API answers, and all nodes of a cluster of ours are Ready.
    Reaches `containerd`, then `api`."""

    provider: Provider
    needs: frozenset[str]
    timeout: float = 300.0

    name = "cluster"
    wake: Wake | None = None

    @property
    def title(self) -> str:
        return self.provider.title

    def observe(self) -> State:
        return self.provider.observe()

    def apply(self, progress: Progress) -> Change:
        return self.provider.create(progress)
