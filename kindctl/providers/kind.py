"""The provider of local clusters, made with kind.

Node containers are made from a derived image with labels, because kind cannot label its containers
(kind#3541), and containers inherit the labels of their image. The labels record the environment and the
settings for which the nodes were created, so no other record is needed. When kind has finished and the API
has answered, a marker file is written into the nodes. A node with the label but without the marker
is left over from an interrupted creation.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindctl import kubeconfig
from kindctl.errors import KindctlError, NotOursError, ToolError
from kindctl.models import (
    DOCKER_ENVIRONMENT_LABEL,
    UNCHANGED,
    Absent,
    Change,
    Differs,
    NotReady,
    ObjectRef,
    PortMapping,
    Progress,
    State,
)
from kindctl.paths import kubeconfig as kubeconfig_file
from kindctl.providers.base import Provider
from kindctl.providers.kind_config import kind_config
from kindctl.providers.node_image import derived_image, differences
from kindctl.providers.nodes import NodeImages, nodes_ready, try_exec
from kindctl.providers.registry import LocalRegistry
from kindctl.runner.polling import poll
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import Cluster, Tools

KIND_CLUSTER_LABEL = "io.x-k8s.kind.cluster"
KIND_ROLE_LABEL = "io.x-k8s.kind.role"
OTHER_PORTS_FIX = "; or keep it and use `via: port-forward`, or a port that is already mapped"
MARKER = "/kind/kindctl-answered"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
API_PORT = "6443/tcp"


@dataclass
class KindProvider(Provider):
    """A cluster whose nodes are containers of the engine."""

    tools: Tools
    environment: str
    node_image: str  # a reference, as in kindctl.yaml
    resolve: Callable[[str], str | None]  # reference -> name in the engine
    mappings: Sequence[PortMapping] = ()
    workers: int = 0
    gateways: int = 0  # how many additional workers are reserved for the ingress controller
    extra: Mapping[str, Any] = field(default_factory=dict)
    extra_cas: Mapping[str, str] = field(default_factory=dict)  # file name -> PEM
    registry_port: int = 0  # port of the image registry on the host; 0 for no registry

    name = "kind"
    preexisting = False
    title = "create the cluster (kind)"
    destination = "into the nodes"

    def __post_init__(self) -> None:
        self.kubeconfig: Path = kubeconfig_file(self.environment)
        self.context = f"kind-{self.environment}"
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._complete: Sequence[ContainerInfo] = ()  # all nodes, as last seen by `observe`
        self._images = NodeImages(self.tools.engine)
        self._registry = LocalRegistry(
            self.tools.engine, self.environment, self.registry_port, self._running
        )

    def images(self) -> Sequence[str]:
        return (self.node_image,)

    @property
    def registry(self) -> LocalRegistry | None:
        return self._registry if self.registry_port else None

    def in_pods(self, reference: str, image: str) -> str:
        return image

    # --- observing -------------------------------------------------------------------------------

    def nodes(self) -> list[ContainerInfo]:
        """Return the node containers, the control plane first.

        Raises NotOursError if a cluster with this name exists that kindctl did not create.
        """
        nodes = self.tools.engine.containers(labels={KIND_CLUSTER_LABEL: self.environment})
        if any(n.labels.get(DOCKER_ENVIRONMENT_LABEL) != self.environment for n in nodes):
            raise NotOursError(
                f"a kind cluster named {self.environment!r} exists, but kindctl did not create it",
                fix="choose another name with --name, or run: "
                f"kind delete cluster --name {self.environment}",
            )
        return sorted(
            nodes, key=lambda n: (n.labels.get(KIND_ROLE_LABEL) != "control-plane", n.name)
        )

    def observe(self) -> State:
        nodes = self.nodes()
        self._complete = ()
        if not nodes:
            return Absent("no cluster")
        if stopped := [node.name for node in nodes if node.state != "running"]:
            return Differs(f"{', '.join(stopped)} {'is' if len(stopped) == 1 else 'are'} stopped")
        # One command checks that the marker, an empty file, exists, and reads the other file.
        admin_conf = self._exec(nodes[0], "cat", MARKER, ADMIN_CONF)
        if admin_conf is None:
            return Differs("the creation of the cluster was interrupted")
        if found := self._drift(nodes):
            return Differs("needs a new cluster: " + "; ".join(found))
        self._complete = nodes
        cluster = self._open(nodes[0], admin_conf)
        if cluster is None or not cluster.alive():
            return NotReady("the API server does not answer yet")
        return nodes_ready(cluster, nodes)

    def _made_for(self) -> dict[str, str]:
        passthrough = json.dumps(self.extra, sort_keys=True, default=str)
        return {
            "node image": self.node_image,
            "workers": str(self.workers),
            "ports": ", ".join(f"{m.address}:{m.host_port}->{m.node_port}" for m in self.mappings),
            "kind": hashlib.sha256(passthrough.encode()).hexdigest()[:12],
            **({"gateways": str(self.gateways)} if self.gateways else {}),
        }

    def _drift(self, nodes: Sequence[ContainerInfo]) -> list[str]:
        found = differences(nodes[0], self._made_for())
        wanted = 1 + self.workers + self.gateways
        if len(nodes) != wanted and not found:
            found.append(f"{len(nodes)} of {wanted} nodes exist")
        return found

    # --- creating --------------------------------------------------------------------------------

    def create(self, progress: Progress) -> Change:
        nodes = self.nodes()
        if any(
            node.state == "created" for node in nodes
        ):  # never started, because a port was taken
            return self._replace(nodes, progress)
        started = self._start(nodes, progress)
        # checked after the start, because commands cannot run in a stopped node
        if not nodes or self._exec(nodes[0], "test", "-e", MARKER) is None:
            return self._replace(nodes, progress)
        if found := self._drift(nodes):
            raise KindctlError(
                "this change needs a new cluster",
                why="; ".join(found) + "; kind cannot change these settings of an existing node",
                fix=f"kindctl down {self.environment} && kindctl up (this deletes the cluster's data)"
                + (OTHER_PORTS_FIX if any(d.startswith("ports ") for d in found) else ""),
                code="needs-new-cluster",
            )
        self._reset()
        self._await_milestones(progress, threading.Event())
        return Change(started) if started else UNCHANGED

    def _start(self, nodes: Sequence[ContainerInfo], progress: Progress) -> tuple[str, ...]:
        stopped = [node for node in nodes if node.state != "running"]
        for node in stopped:
            progress.say(f"starting {node.name}")
            self.tools.engine.start(node.id)
        return tuple(f"started node {node.name}" for node in stopped)

    def _replace(self, nodes: Sequence[ContainerInfo], progress: Progress) -> Change:
        """Create the cluster, after removing the nodes of an interrupted creation."""
        if nodes:
            progress.say("removing the nodes of an interrupted creation")
            self._remove(nodes)
        try:
            self._create(progress)
        except ToolError as error:
            if error.code != "kind-log-line":
                raise
            # on a busy machine, a node may need longer than the 30 s that kind waits (kind#2972)
            progress.say("the node booted too slowly for kind, trying again")
            self._remove(self.nodes())
            self._create(progress)
        return Change((f"{'replaced' if nodes else 'created'} cluster {self.environment}",))

    def _create(self, progress: Progress) -> None:
        engine = self.tools.engine.info()
        minor = re.search(r":v?1\.(\d+)", self.node_image)
        config = kind_config(
            image=self._node_image(),
            mappings=self.mappings,
            workers=self.workers,
            gateways=self.gateways,
            cgroup_version=engine.cgroup_version,
            minor=int(minor.group(1)) if minor else 36,
            extra=self.extra,
        )
        self._reset()
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ThreadPoolExecutor(1) as pool:  # reports the milestones while kind is running
            failed = threading.Event()
            watching = pool.submit(self._await_milestones, progress, failed)
            try:
                self.tools.kind.create(self.environment, config, self.kubeconfig, progress.say)
            except ToolError as error:
                failed.set()
                raise self._with_node_logs(error) from error
            except BaseException:
                failed.set()
                raise
            if watching.result():
                for node in self.nodes():
                    self._exec(node, "touch", MARKER)

    def _with_node_logs(self, error: ToolError) -> ToolError:
        """Add the last log lines of stopped nodes to the error. `kind create --retain` keeps such nodes."""
        for node in self.tools.engine.containers(
            labels={DOCKER_ENVIRONMENT_LABEL: self.environment}
        ):
            if node.state != "running":
                error.output += f"\n--- {node.name}\n" + self.tools.engine.logs(node.id, tail=20)
        error.fix = error.fix or "run kindctl up again; kindctl doctor checks the machine"
        return error

    def _node_image(self) -> str:
        base = self.resolve(self.node_image)
        if base is None:
            raise KindctlError(f"the node image {self.node_image} is not in the engine")
        return derived_image(
            self.tools.engine,
            base,
            self.environment,
            made_for=self._made_for(),
            extra_cas=self.extra_cas,
        )

    # --- the API ---------------------------------------------------------------------------------

    def _await_milestones(self, progress: Progress, failed: threading.Event) -> bool:
        """Report the milestones `containerd` and `api` as they are reached. Return whether both were
        reached.

        The wait for each milestone ends when `failed` is set, or after 5 minutes.
        """
        milestones = {"containerd": self._containerd_answers, "api": self._api_answers}
        for milestone, answers in milestones.items():
            if not _await(answers, failed):
                return False
            progress.reach(milestone)
        return True

    def _containerd_answers(self) -> bool:
        """Return whether containerd answers in all nodes. Images are loaded into all nodes.

        kind creates the nodes in parallel, so some may not exist yet.
        """
        nodes = self.nodes()
        return len(nodes) > self.workers + self.gateways and all(
            self._exec(node, "ctr", "version") is not None for node in nodes
        )

    def _api_answers(self) -> bool:
        """Return whether the API server accepts the admin's credentials.

        /readyz is not enough: kubeadm grants the admin's permissions only after /readyz returns ok.
        """
        cluster = self.cluster()
        if cluster is None or not cluster.alive():
            return False
        try:
            return cluster.get(ObjectRef("v1", "Namespace", "kube-system")) is not None
        except KindctlError:
            return False

    def _exec(self, node: ContainerInfo, *command: str) -> str | None:
        return try_exec(self.tools.engine, node, *command)

    def cluster(self) -> Cluster | None:
        with self._lock:
            if self._cluster is not None:
                return self._cluster
        nodes = self.nodes()
        if not nodes or nodes[0].state != "running":
            return None
        return self._open(nodes[0], self._exec(nodes[0], "cat", ADMIN_CONF) or "")

    def _open(self, node: ContainerInfo, admin_conf: str) -> Cluster | None:
        """Return the API of this control plane. It is opened at the first call."""
        with self._lock:
            if self._cluster is None and self._write_kubeconfig(node, admin_conf):
                self._cluster = self.tools.open_cluster(self.kubeconfig, self.context)
            return self._cluster

    def _write_kubeconfig(self, node: ContainerInfo, admin_conf: str) -> bool:
        """Write the kubeconfig. Overwrite an existing file: an earlier cluster of the same name may have
        left it.

        Returns False if the node has no API port or no admin.conf yet.
        """
        address, port = next(iter(node.ports.get(API_PORT, ())), ("", 0))
        if not port or not admin_conf.strip():
            return False
        text = kubeconfig.for_host(admin_conf, self.environment, f"https://{address}:{port}")
        if self.tools.host.read(self.kubeconfig) != text:
            self.tools.host.write(self.kubeconfig, text, 0o600)
        return True

    def _reset(self) -> None:
        """Close the API, and forget everything about the nodes."""
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()
            self._cluster = None
            self._complete = ()
            self._images.clear()

    # --- images ----------------------------------------------------------------------------------

    def holds(self, image: str) -> bool:
        return self._images.hold(self._running(), image)

    def deliver(self, image: str, progress: Progress) -> None:
        self._images.deliver(self._running(), image)

    def _running(self) -> Sequence[ContainerInfo]:
        """Return the running nodes. Ask the engine at each call, until `observe` has seen all nodes
        running."""
        return self._complete or [node for node in self.nodes() if node.state == "running"]

    # --- removing --------------------------------------------------------------------------------

    def destroy(self) -> Change:
        self._reset()
        nodes = self.nodes()
        self._remove(nodes)
        removed = tuple(f"removed node {node.name}" for node in nodes)
        return Change((*removed, *self._registry.remove()))

    def surplus(self) -> Sequence[str]:
        if self.registry_port or self._registry.container() is None:
            return ()
        return (f"registry {self._registry.name}",)

    def prune(self) -> Change:
        if not self.surplus():
            return UNCHANGED
        for node in self._running():
            self._registry.remove_stale_files(node)
        return Change(self._registry.remove())

    def _remove(self, nodes: Sequence[ContainerInfo]) -> None:
        with ThreadPoolExecutor(max(len(nodes), 1)) as pool:
            list(pool.map(lambda node: self.tools.engine.remove(node.id), nodes))


def _await(answers: Callable[[], bool], failed: threading.Event) -> bool:
    """Wait until `answers` returns True. Return False if `failed` is set first, or after 5 minutes."""
    over = poll(lambda: failed.is_set() or answers(), until=bool, seconds=300, pause=(0.2, 0.4))
    return over and not failed.is_set()
