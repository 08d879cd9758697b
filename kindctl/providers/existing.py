"""A cluster that is there already, as the provider: its API by a context of the user's kubeconfig, images
by way of a registry.

The kubeconfig is read where it is and never written, so that exec plug-ins and logins of clouds work as for
kubectl and no credential is copied. That an environment is in the cluster is said in the cluster itself, by
namespace kindctl-system with its label: without it nothing is applied before the user has agreed. Which
context an environment is in, is remembered on this machine, so that its name is enough to find it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl import kubeconfig
from kindctl.errors import ApiError, KindctlError, NotOursError, ToolError, UsageError
from kindctl.kube_objects import is_going
from kindctl.models import (
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    MANAGER,
    SYSTEM_NAMESPACE,
    UNCHANGED,
    Absent,
    Change,
    NotReady,
    Object,
    ObjectRef,
    Progress,
    Ready,
    State,
)
from kindctl.paths import data_dir, environment_dir, is_valid_name
from kindctl.providers.base import Stranger
from kindctl.references import full_name
from kindctl.tools.protocols import Cluster, Tools

CLAIM = ObjectRef("v1", "Namespace", SYSTEM_NAMESPACE)
BUILT_HERE = "kindctl.local/"
PINNED = "kindctl.local/pinned/"
"""Pulled by digest: whoever asks for that digest gets it too."""


@dataclass
class ExistingProvider:
    """See providers.base.Provider. `server`: the address that the context must have, if the file says
    one. `push`, `pull`: the registry, as this machine and as the nodes name it."""

    tools: Tools
    environment: str
    context: str
    kubeconfig: Path  # as kubectl would read it: several files are joined by a colon
    server: str = ""
    push: str = ""
    pull: str = ""

    name = "existing"
    preexisting = True
    registry = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._held: set[str] = set()  # in the registry, as it said

    @property
    def title(self) -> str:
        return f"use the cluster of context {self.context}"

    @property
    def destination(self) -> str:
        return f"to {self.push}" if self.push else "to the cluster"

    def images(self) -> Sequence[str]:
        return ()

    # --- consent ---------------------------------------------------------------------------------

    def stranger(self) -> Stranger | None:
        """Raises UsageError where the context is unknown or leads elsewhere than the file says,
        NotOursError where another environment is in this cluster."""
        server = self.address()
        if self.server and kubeconfig.origin(self.server) != kubeconfig.origin(server):
            raise UsageError(
                f"context {self.context} leads to {server}",
                why=f"kindctl.yaml says that its API server is {self.server}",
                fix="name another context in cluster.provider.existing, or correct `server` there",
                code="context-differs",
            )
        if self._claimed() is not None:
            return None
        return Stranger(self.environment, self.context, server, named=bool(self.server))

    def address(self) -> str:
        """Of the context's API server, by the kubeconfig. Raises UsageError."""
        return kubeconfig.server_of(self.kubeconfig, self.context, self.tools.host.read)

    def _claimed(self) -> Object | None:
        """The namespace by which this environment is in the cluster; None: it is not yet."""
        try:
            found = self.cluster().get(CLAIM)
        except ApiError as error:
            if error.status is not None:
                raise
            raise KindctlError(
                f"the cluster of context {self.context} does not answer",
                why=error.why or error.what,
                fix=f"kubectl --context {self.context} get --raw /readyz says what kubectl meets",
                code="context-unreachable",
            ) from error
        if found is None:
            return None
        owner = (found["metadata"].get("labels") or {}).get(ENVIRONMENT_LABEL)
        if owner != self.environment:
            raise NotOursError(
                f"namespace {SYSTEM_NAMESPACE} of context {self.context} "
                + (f"belongs to environment {owner!r}" if owner else "was not made by kindctl"),
                why="a cluster has one environment of kindctl at a time",
                fix=f"kindctl down {owner}, or use another cluster" if owner else "",
            )
        return found

    # --- the cluster -----------------------------------------------------------------------------

    def observe(self) -> State:
        claim = self._claimed()
        if claim is None:
            return Absent("nothing of this environment is in it")
        if is_going(claim):
            return NotReady(f"namespace {SYSTEM_NAMESPACE} is being deleted")
        return Ready(f"Kubernetes {self.cluster().version()}")

    def create(self, progress: Progress) -> Change:
        labels = {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: self.environment}
        meta = {"name": SYSTEM_NAMESPACE, "labels": labels}
        self.cluster().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        self.remember()
        progress.reach("containerd")
        progress.reach("api")
        return Change((f"took the cluster of context {self.context} into use",))

    def cluster(self) -> Cluster:
        with self._lock:
            if self._cluster is None:
                self._cluster = self.tools.open_cluster(self.kubeconfig, self.context)
            return self._cluster

    def surplus(self) -> Sequence[str]:
        return ()

    def prune(self) -> Change:
        return UNCHANGED

    def destroy(self) -> Change:
        """The word that this environment is in the cluster; its objects have gone before."""
        there = self._claimed() is not None and self.cluster().delete(CLAIM)
        return Change((f"left the cluster of context {self.context}",)) if there else UNCHANGED

    # --- images ----------------------------------------------------------------------------------

    def holds(self, image: str) -> bool:
        if not self._is_only_here(image):
            return True
        name = self._pushed(image)
        if not name or name in self._held:
            return bool(name)
        try:
            there = self.tools.engine.in_registry(name)
        except ToolError:  # it does not say (no TLS, say); it took the image once
            there = True
        if there:
            self._held.add(name)
        return there

    def deliver(self, image: str, progress: Progress) -> None:
        if not self._is_only_here(image):
            return
        if not self.push:
            raise KindctlError(
                f"image {image} is on this machine alone, and the file names no registry",
                fix="set images.push to a registry that the cluster's nodes can pull from",
                code="no-registry",
            )
        target = self._target(image)
        self.tools.engine.tag(image, target)
        self.tools.engine.push(target, progress.say)

    def in_pods(self, reference: str, image: str) -> str:
        pushed = self._pushed(image) if self._is_only_here(image) else ""
        if not pushed:
            return reference
        digest = pushed.partition("@")[2]
        return f"{self.pull or self.push}{self._target(image).removeprefix(self.push)}@{digest}"

    def _is_only_here(self, image: str) -> bool:
        """Whether no registry that the cluster may know has it: it was built here, or loaded."""
        if image.startswith(BUILT_HERE):
            return not image.startswith(PINNED)
        found = self.tools.engine.image(image)
        if found is None:
            return True
        return not any(
            _repository(name.partition("@")[0]) == _repository(image) for name in found.digests
        )

    def _target(self, image: str) -> str:
        path = _repository(image).partition("/")[2].removeprefix("library/")
        return f"{self.push}/{path}:{full_name(image).rpartition(':')[2]}"

    def _pushed(self, image: str) -> str:
        """REPOSITORY@DIGEST in the registry, as the engine knows of its pushes; empty: none."""
        found = self.tools.engine.image(image)
        if not self.push or found is None:
            return ""
        repository = self._target(image).rpartition(":")[0]
        fitting = [name for name in found.digests if name.startswith(f"{repository}@")]
        return fitting[-1] if fitting else ""

    # --- where it is -----------------------------------------------------------------------------

    def remember(self) -> None:
        """So that commands find the environment by its name alone."""
        text = json.dumps({"context": self.context, "kubeconfig": str(self.kubeconfig)})
        path = note_of(self.environment)
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(text)


def _repository(image: str) -> str:
    """docker.io/library/postgres for postgres:17"""
    return full_name(image).rpartition(":")[0]


def remembered(tools: Tools, environment: str) -> ExistingProvider | None:
    """The provider of an environment that is known to be in an existing cluster."""
    try:
        note = json.loads(note_of(environment).read_text())
        return ExistingProvider(tools, environment, note["context"], Path(note["kubeconfig"]))
    except (OSError, ValueError, KeyError, TypeError):  # none, or somebody's edit
        return None


def all_remembered() -> Iterator[str]:
    """Names of environments in existing clusters, as far as this machine has seen them."""
    for path in sorted(data_dir().glob("environments/*/context.json")):
        if is_valid_name(path.parent.name):
            yield path.parent.name


def forget(environment: str) -> None:
    note_of(environment).unlink(missing_ok=True)


def note_of(environment: str) -> Path:
    """Where this machine remembers its context."""
    return environment_dir(environment) / "context.json"
