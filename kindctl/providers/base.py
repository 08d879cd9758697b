"""The interface of a provider, which creates or opens the cluster and brings images into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kindctl.models import UNCHANGED, Change, Progress, State
from kindctl.providers.registry import LocalRegistry
from kindctl.tools.protocols import Cluster


@dataclass(frozen=True)
class ForeignCluster:
    """A cluster that kindctl did not create, and that the environment has not used yet."""

    environment: str
    context: str
    server: str  # address of its API server
    named: bool  # whether kindctl.yaml names this server


class Provider(Protocol):
    """The base class of providers. A method with a body is the default for providers that lack the
    feature."""

    name: str
    preexisting: bool  # the cluster existed before the environment and outlives it
    kubeconfig: Path  # the environment's own file; for a preexisting cluster, the user's
    context: str

    @property
    def registry(self) -> LocalRegistry | None:
        """The environment's own image registry, if kindctl.yaml asks for one."""
        return None

    @property
    def title(self) -> str:
        """The title of the step that makes or opens the cluster: "create the cluster (kind)"."""

    @property
    def destination(self) -> str:
        """The words that follow "bring IMAGE" in a step's title. They say where images are brought."""

    def foreign_cluster(self) -> ForeignCluster | None:
        """Return the cluster if the user must agree before kindctl uses this cluster, otherwise None."""
        return None

    def images(self) -> Sequence[str]:
        """Return the images that the engine must have before `create`: the node image."""
        return ()

    def observe(self) -> State:
        """Return Ready if the API answers and all nodes are Ready."""

    def create(self, progress: Progress) -> Change:
        """Make or repair the cluster, without waiting for its nodes.

        Reaches the milestones `containerd` (images can be loaded) and `api` (objects can be applied).
        Raises NotOursError if a cluster with this name exists that kindctl did not create.
        """

    def cluster(self) -> Cluster | None:
        """Return the cluster's API, or None as long as the cluster does not exist."""

    def holds(self, image: str) -> bool:
        """Return whether every node already has this image, or can pull it. `image` is the image's
        name in the container engine."""

    def deliver(self, image: str, progress: Progress) -> None:
        """Load an image of the engine into every node, or push it to a registry that nodes pull from."""

    def in_pods(self, reference: str, image: str) -> str:
        """Return the name that pod specs must use for an image.

        `reference` is the image's name in the manifests. `image` is the image's name in the engine.
        """

    def surplus(self) -> Sequence[str]:
        """Return the names of things outside the cluster that kindctl.yaml no longer asks for."""
        return ()

    def prune(self) -> Change:
        """Remove what `surplus` returns."""
        return UNCHANGED

    def destroy(self) -> Change:
        """Remove the cluster, or stop using a preexisting one.

        The containers of a kind cluster are found by their labels, so that a cluster whose API does not
        answer can be removed too.
        """
