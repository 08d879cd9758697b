"""A Provider is where the cluster comes from. It knows how to make one and how images get into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kindctl.models import Change, Progress, State
from kindctl.tools.protocols import Cluster


class Provider(Protocol):
    name: str
    kubeconfig: Path  # the environment's own file
    context: str

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
        """Whether every node has the image of this name, with the ID that the engine has."""
        ...

    def deliver(self, image: str, progress: Progress) -> None:
        """Bring an image of the engine into every node."""
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
