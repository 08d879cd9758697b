"""The provider that uses an existing cluster. A context in the user's kubeconfig selects the cluster.

Images reach the nodes through an image registry.

The kubeconfig is read where it is and never changed. So exec plug-ins and cloud logins work as in kubectl,
and no credential is copied. The label of namespace kindctl-system says which environment is in the cluster.
If that namespace does not exist, the user has to agree before anything is applied. The context of each
environment is saved on this machine, so that commands find the cluster by the environment's name.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kindctl import kubeconfig
from kindctl.errors import ApiError, KindctlError, NotOursError, ToolError, UsageError
from kindctl.kube_objects import is_going, labels_of, own_labels
from kindctl.models import (
    ENVIRONMENT_LABEL,
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
from kindctl.providers.base import ForeignCluster, Provider
from kindctl.references import full_name
from kindctl.tools.protocols import Cluster, Tools

CLAIM = ObjectRef("v1", "Namespace", SYSTEM_NAMESPACE)
BUILT_HERE = "kindctl.local/"
PINNED = "kindctl.local/pinned/"
"""Prefix of images that were pulled by digest. Nodes can pull them by that digest too."""


@dataclass
class ExistingProvider(Provider):
    """The cluster of a context in the user's kubeconfig.

    If `server` is set, it is the address of the API server that the context must point to. `push` and
    `pull` are addresses of the image registry: `push` is used by this machine, `pull` by the nodes.
    """

    tools: Tools
    environment: str
    context: str
    kubeconfig: Path  # several files are joined by a colon, as for kubectl
    server: str = ""
    push: str = ""
    pull: str = ""

    name = "existing"
    preexisting = True

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._in_registry: set[str] = set()  # names that were found in the registry

    @property
    def title(self) -> str:
        return f"use the cluster of context {self.context}"

    @property
    def destination(self) -> str:
        return f"to {self.push}" if self.push else "to the cluster"

    # --- consent ---------------------------------------------------------------------------------

    def foreign_cluster(self) -> ForeignCluster | None:
        """Return the cluster if namespace kindctl-system does not exist there yet, otherwise None.

        Raises UsageError if the context does not exist or points to a server other than the one in
        kindctl.yaml, and NotOursError if another environment uses the cluster.
        """
        server = self.address()
        if self.server and kubeconfig.origin(self.server) != kubeconfig.origin(server):
            raise UsageError(
                f"context {self.context} points to {server}",
                why=f"kindctl.yaml says that the API server is {self.server}",
                fix="set another context in cluster.provider.existing, or correct `server` there",
                code="context-differs",
            )
        if self._claim() is not None:
            return None
        return ForeignCluster(self.environment, self.context, server, named=bool(self.server))

    def address(self) -> str:
        """Return the address of the API server, from the kubeconfig. Raises UsageError."""
        return kubeconfig.server_of(self.kubeconfig, self.context, self.tools.host.read)

    def _claim(self) -> Object | None:
        """Return namespace kindctl-system if it belongs to this environment, or None if it does not exist.

        Raises NotOursError if the namespace belongs to another environment, or is not kindctl's.
        """
        try:
            found = self.cluster().get(CLAIM)
        except ApiError as error:
            if error.status is not None:
                raise
            raise KindctlError(
                f"the cluster of context {self.context} does not answer",
                why=error.why or error.what,
                fix=f"see what kubectl reports: kubectl --context {self.context} get --raw /readyz",
                code="context-unreachable",
            ) from error
        if found is None:
            return None
        owner = labels_of(found).get(ENVIRONMENT_LABEL)
        if owner != self.environment:
            raise NotOursError(
                f"namespace {SYSTEM_NAMESPACE} of context {self.context} "
                + (f"belongs to environment {owner!r}" if owner else "was not made by kindctl"),
                why="a cluster can have only one kindctl environment at a time",
                fix=f"use another cluster, or run: kindctl down {owner}" if owner else "",
            )
        return found

    # --- the cluster -----------------------------------------------------------------------------

    def observe(self) -> State:
        claim = self._claim()
        if claim is None:
            return Absent("this environment is not in the cluster yet")
        if is_going(claim):
            return NotReady(f"namespace {SYSTEM_NAMESPACE} is being deleted")
        return Ready(f"Kubernetes {self.cluster().version()}")

    def create(self, progress: Progress) -> Change:
        labels = own_labels(self.environment)
        meta = {"name": SYSTEM_NAMESPACE, "labels": labels}
        self.cluster().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        self.save_context()
        progress.reach("containerd")
        progress.reach("api")
        return Change((f"started to use the cluster of context {self.context}",))

    def cluster(self) -> Cluster:
        with self._lock:
            if self._cluster is None:
                self._cluster = self.tools.open_cluster(self.kubeconfig, self.context)
            return self._cluster

    def destroy(self) -> Change:
        """Delete namespace kindctl-system. live/withdraw.py has deleted the environment's other objects."""
        deleted = self._claim() is not None and self.cluster().delete(CLAIM)
        return Change((f"left the cluster of context {self.context}",)) if deleted else UNCHANGED

    # --- images ----------------------------------------------------------------------------------

    def holds(self, image: str) -> bool:
        if not self._is_local_only(image):
            return True
        name = self._pushed(image)
        if not name or name in self._in_registry:
            return bool(name)
        try:
            exists = self.tools.engine.in_registry(name)
        except (
            ToolError
        ):  # the registry cannot be queried (without TLS, for example), but was pushed to
            exists = True
        if exists:
            self._in_registry.add(name)
        return exists

    def deliver(self, image: str, progress: Progress) -> None:
        if not self._is_local_only(image):
            return
        if not self.push:
            raise KindctlError(
                f"image {image} exists only on this machine",
                why="the nodes cannot pull it, and kindctl.yaml names no registry to push it to",
                fix="set images.push to a registry that the cluster's nodes can pull from",
                code="no-registry",
            )
        target = self._target(image)
        self.tools.engine.tag(image, target)
        self.tools.engine.push(target, progress.say)

    def in_pods(self, reference: str, image: str) -> str:
        pushed = self._pushed(image) if self._is_local_only(image) else ""
        if not pushed:
            return reference
        digest = pushed.partition("@")[2]
        return f"{self.pull or self.push}{self._target(image).removeprefix(self.push)}@{digest}"

    def _is_local_only(self, image: str) -> bool:
        """Return whether no registry has the image, because it was built here or loaded from an archive."""
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
        """Return REPOSITORY@DIGEST of the image in the registry, or "" if the engine has not pushed it."""
        found = self.tools.engine.image(image)
        if not self.push or found is None:
            return ""
        repository = self._target(image).rpartition(":")[0]
        fitting = [name for name in found.digests if name.startswith(f"{repository}@")]
        return fitting[-1] if fitting else ""

    # --- the saved context -----------------------------------------------------------------------

    def save_context(self) -> None:
        """Save the name of the context. Commands that get only the environment's name need this."""
        text = json.dumps({"context": self.context, "kubeconfig": str(self.kubeconfig)})
        path = context_file(self.environment)
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(text)


def _repository(image: str) -> str:
    """Return the full name of an image without its tag: docker.io/library/postgres for postgres:17."""
    return full_name(image).rpartition(":")[0]


def saved_provider(tools: Tools, environment: str) -> ExistingProvider | None:
    """Return the provider of an environment whose context is saved on this machine, or None."""
    try:
        saved = json.loads(context_file(environment).read_text())
        return ExistingProvider(tools, environment, saved["context"], Path(saved["kubeconfig"]))
    except (OSError, ValueError, KeyError, TypeError):  # no file, or somebody has edited it
        return None


def saved_environments() -> Iterator[str]:
    """Yield the names of the environments whose context is saved on this machine."""
    for path in sorted(data_dir().glob("environments/*/context.json")):
        if is_valid_name(path.parent.name):
            yield path.parent.name


def delete_saved_context(environment: str) -> None:
    context_file(environment).unlink(missing_ok=True)


def context_file(environment: str) -> Path:
    """Return the path of the file that saves an environment's context."""
    return environment_dir(environment) / "context.json"
