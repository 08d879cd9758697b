"""A Provider is where the cluster comes from. It knows how to make one and how images get into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kindctl.models import Change, Progress, State
from kindctl.providers.registry import LocalRegistry
from kindctl.tools.protocols import Cluster


@dataclass(frozen=True)
class Stranger:
    """A cluster that kindctl did not make and that an environment has not used yet."""

    environment: str
    context: str
    server: str  # address of its API
    named: bool  # whether the file has that address, too


class Provider(Protocol):
    name: str
    preexisting: bool  # the cluster was there before the environment, and is when it has gone
    kubeconfig: Path  # the environment's own file; of a preexisting cluster: the user's
    context: str

    @property
    def registry(self) -> LocalRegistry | None:
        """Of images, beside the cluster and of this environment alone, where the file asks for one."""
        ...

    @property
    def title(self) -> str:
        """Of the step that makes or takes the cluster: "create the cluster (kind)"."""
        ...

    @property
    def destination(self) -> str:
        """Completes "bring IMAGE ..."."""
        ...

    def stranger(self) -> Stranger | None:
        """The cluster, where the user has to agree before it is touched."""
        ...

    def images(self) -> Sequence[str]:
        """References that the host needs before `create`: the node image."""
        ...

    def observe(self) -> State:
        """Ready: the API answers and all nodes are Ready."""
        ...

    def create(self, progress: Progress) -> Change:
        """Make or repair it, without waiting for the nodes. Reaches `containerd` (images may go in) and
        `api` (objects may be applied). Raises NotOursError when the name is taken by another's."""
        ...

    def cluster(self) -> Cluster | None:
        """Its API, or None as long as there is none."""
        ...

    def holds(self, image: str) -> bool:
        """Whether every node has the image of this name, with the ID that the engine has; or can get it."""
        ...

    def deliver(self, image: str, progress: Progress) -> None:
        """Bring an image of the engine into every node, or where nodes can get it."""
        ...

    def in_pods(self, reference: str, image: str) -> str:
        """The name by which pods ask for what serves for `reference`, `image` in the engine."""
        ...

    def surplus(self) -> Sequence[str]:
        """What of the environment lies beside the cluster and is no longer asked for, by name."""
        ...

    def prune(self) -> Change:
        """Remove that."""
        ...

    def destroy(self) -> Change:
        """Remove the cluster, by ownership: right even when the API is dead."""
        ...
