"""Wakes a step when objects in the cluster change, even if the step was planned before the cluster
existed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from kindctl.models import Wake
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Cluster


@dataclass
class ClusterWake:
    """A Wake (see models) that watches objects of these (apiVersion, kind) pairs. The watch starts at the
    first call of `wait`, and starts again if the provider gets another cluster."""

    provider: Provider
    kinds: tuple[tuple[str, str], ...]
    _watched: tuple[Cluster, Wake] | None = field(default=None, repr=False)

    def wait(self, seconds: float) -> None:
        watch = self._current_watch()
        if watch is None:
            threading.Event().wait(seconds)
        else:
            watch.wait(seconds)

    def _current_watch(self) -> Wake | None:
        cluster = self.provider.cluster()
        if cluster is None:
            self._watched = None
        elif self._watched is None or self._watched[0] is not cluster:
            self._watched = (cluster, cluster.watch(*self.kinds))
        return self._watched[1] if self._watched else None
