"""What all steps share: the fields that the runner reads, and how a step queries the cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from kindctl.errors import ApiError
from kindctl.models import UNCHANGED, Absent, Change, NotReady, Progress, State, Wake
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Cluster


@dataclass(kw_only=True)
class BaseStep(ABC):
    """The base class of all steps (see models.Step). A step without a `wake` is polled. A step applies
    nothing unless its class overrides `apply`."""

    needs: frozenset[str]
    timeout: float = 60.0
    wake: Wake | None = None

    @abstractmethod
    def observe(self) -> State: ...

    def apply(self, progress: Progress) -> Change:
        return UNCHANGED


@dataclass(kw_only=True)
class StepInCluster(BaseStep):
    """A step that reads and changes objects in the cluster. Without a cluster, its state is Absent and it
    applies nothing."""

    provider: Provider

    def observe(self) -> State:
        """Return the state that `observe_in` returns. While the API does not answer, or answers with an
        error that may be temporary, the state is NotReady. Raises ApiError for other errors of the API."""
        cluster = self.provider.cluster()
        if cluster is None:
            return Absent("no cluster")
        if not cluster.alive():
            return NotReady("the API server does not answer")
        try:
            return self.observe_in(cluster)
        except ApiError as error:
            if not error.passing:
                raise
            return NotReady(error.why or error.what)

    @abstractmethod
    def observe_in(self, cluster: Cluster) -> State:
        """Return the step's state in this cluster, without changing anything. Raises ApiError."""

    def apply(self, progress: Progress) -> Change:
        cluster = self.provider.cluster()
        return UNCHANGED if cluster is None else self.apply_in(cluster, progress)

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        """Make the step's change in this cluster. Raises KindctlError."""
        return UNCHANGED
