"""kind as the provider of clusters.

Node containers are made from a derived image of ours, because kind cannot label its containers
(kind#3541) and containers inherit the labels of their image. The labels say whose environment it is
and what it was made for, so that nothing about it has to be remembered elsewhere. A marker file goes
into the nodes when kind is done, its network and workers included, and the API has answered: a labelled
node without it is what an interrupted creation left.
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
from kindctl.providers.drift import drift
from kindctl.providers.kind_config import kind_config
from kindctl.providers.kind_images import NodeImages
from kindctl.providers.node_image import derived
from kindctl.providers.node_readiness import nodes_ready
from kindctl.providers.registry import LocalRegistry
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import Cluster, Tools

KIND_CLUSTER_LABEL = "io.x-k8s.kind.cluster"
KIND_ROLE_LABEL = "io.x-k8s.kind.role"
MADE_FOR_LABEL = "dev.kindctl.made-for"
WITHOUT_A_NEW_ONE = (
    "; or reach the Service by `via: port-forward`, which needs no mapping; or by a port that is mapped "
    "already"
)
MARKER = "/kind/kindctl-answered"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
API_PORT = "6443/tcp"


@dataclass
class KindProvider:
    """A cluster in containers of the engine. See providers.base.Provider."""

    tools: Tools
    environment: str
    node_image: str  # the reference asked for
    resolve: Callable[[str], str | None]  # reference -> name in the engine
    mappings: Sequence[PortMapping] = ()
    workers: int = 0
    gateways: int = 0  # workers for the ingress controller alone
    extra: Mapping[str, Any] = field(default_factory=dict)
    extra_cas: Mapping[str, str] = field(default_factory=dict)  # file name -> PEM
    registry_port: int = 0  # of an image registry on the host; 0: none
    extra_cas_label: str = ""  # their fingerprints, as images say which they carry

    name = "kind"
    preexisting = False
    title = "create the cluster (kind)"
    destination = "into the nodes"

    def __post_init__(self) -> None:
        self.kubeconfig: Path = kubeconfig_file(self.environment)
        self.context = f"kind-{self.environment}"
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._complete: Sequence[ContainerInfo] = ()  # all nodes, as `observe` last found them
        self._images = NodeImages(self.tools.engine)
        self._registry = LocalRegistry(
            self.tools.engine, self.environment, self.registry_port, self._running
        )

    def images(self) -> Sequence[str]:
        return (self.node_image,)

    @property
    def registry(self) -> LocalRegistry | None:
        return self._registry if self.registry_port else None

    def stranger(self) -> None:
        return None

    def in_pods(self, reference: str, image: str) -> str:
        return image

    # --- looking ---------------------------------------------------------------------------------

    def nodes(self) -> list[ContainerInfo]:
        """Our node containers, the control plane first. Raises NotOursError for another's."""
        nodes = self.tools.engine.containers(labels={KIND_CLUSTER_LABEL: self.environment})
        if any(n.labels.get(DOCKER_ENVIRONMENT_LABEL) != self.environment for n in nodes):
            raise NotOursError(
                f"a kind cluster named {self.environment!r} exists that kindctl did not make",
                fix=f"choose another name with --name, or: kind delete cluster --name {self.environment}",
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
        # Two questions in one process: the marker has no content.
        admin_conf = self._try_exec(nodes[0].id, ["cat", MARKER, ADMIN_CONF])
        if admin_conf is None:
            return Differs("its creation was interrupted")
        if found := self._drift(nodes):
            return Differs("needs a new cluster: " + "; ".join(found))
        self._complete = nodes
        cluster = self._opened(nodes[0], admin_conf)
        if cluster is None or not cluster.alive():
            return NotReady("the API server does not answer yet")
        return nodes_ready(cluster, nodes)

    def _marked(self, node: ContainerInfo) -> bool:
        return self._try_exec(node.id, ["test", "-e", MARKER]) is not None

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
        found = drift(json.loads(nodes[0].labels.get(MADE_FOR_LABEL, "{}")), self._made_for())
        wanted = 1 + self.workers + self.gateways
        if len(nodes) != wanted and not found:
            found.append(f"{len(nodes)} of {wanted} nodes exist")
        return found

    # --- making ----------------------------------------------------------------------------------

    def create(self, progress: Progress) -> Change:
        nodes = self.nodes()
        if any(node.state == "created" for node in nodes):  # has never run: a port was taken
            return self._replace(nodes, progress)
        started = self._start(nodes, progress)
        if not nodes or not self._marked(nodes[0]):  # a stopped node cannot be asked
            return self._replace(nodes, progress)
        if found := self._drift(nodes):
            raise KindctlError(
                "this change needs a new cluster",
                why="; ".join(found) + "; kind fixes these when it makes a node",
                fix=f"kindctl down {self.environment} && kindctl up (its data goes with it)"
                + (WITHOUT_A_NEW_ONE if any(d.startswith("ports ") for d in found) else ""),
                code="needs-new-cluster",
            )
        self._forget()
        self._await_milestones(progress, threading.Event())
        return Change(started) if started else UNCHANGED

    def _start(self, nodes: Sequence[ContainerInfo], progress: Progress) -> tuple[str, ...]:
        stopped = [node for node in nodes if node.state != "running"]
        for node in stopped:
            progress.say(f"starting {node.name}")
            self.tools.engine.start(node.id)
        return tuple(f"started node {node.name}" for node in stopped)

    def _replace(self, nodes: Sequence[ContainerInfo], progress: Progress) -> Change:
        """A new cluster, in the place of what an interrupted creation left."""
        if nodes:
            progress.say("removing what an interrupted creation left")
            self._remove(nodes)
        try:
            self._create(progress)
        except ToolError as error:
            if error.code != "kind-log-line":
                raise
            # a busy machine: the node's boot took longer than the 30 s that kind gives it (kind#2972)
            progress.say("the node booted too slowly for kind: once more")
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
        self._forget()
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ThreadPoolExecutor(1) as pool:  # the milestones are seen from outside while kind works
            over = threading.Event()
            watching = pool.submit(self._await_milestones, progress, over)
            try:
                self.tools.kind.create(self.environment, config, self.kubeconfig, progress.say)
            except ToolError as error:
                over.set()
                raise self._explained(error) from error
            except BaseException:
                over.set()
                raise
            if watching.result():
                self._mark()

    def _explained(self, error: ToolError) -> ToolError:
        """kind's error, with the last words of the node (kept by --retain)."""
        for node in self.tools.engine.containers(
            labels={DOCKER_ENVIRONMENT_LABEL: self.environment}
        ):
            if node.state != "running":
                error.output += f"\n--- {node.name}\n" + self.tools.engine.logs(node.id, tail=20)
        error.fix = error.fix or "kindctl up tries again; kindctl doctor looks at the machine"
        return error

    def _node_image(self) -> str:
        base = self.resolve(self.node_image)
        if base is None:
            raise KindctlError(f"the node image {self.node_image} is not in the engine")
        labels = {
            DOCKER_ENVIRONMENT_LABEL: self.environment,
            MADE_FOR_LABEL: json.dumps(self._made_for(), sort_keys=True),
        }
        return derived(
            self.tools.engine,
            base,
            f"kindctl.local/environment/{self.environment}",
            labels=labels,
            extra_cas=self.extra_cas,
            extra_cas_label=self.extra_cas_label,
        )

    # --- the way to the API ----------------------------------------------------------------------

    def _await_milestones(self, progress: Progress, over: threading.Event) -> bool:
        """Whether both were reached."""
        if not self._poll(self._containerd_answers, over):
            return False
        progress.reach("containerd")
        if not self._poll(self._api_answers, over):
            return False
        progress.reach("api")
        return True

    def _containerd_answers(self) -> bool:
        """On every node: images go into all of them. One that was just started takes some seconds."""
        nodes = self.nodes()
        return len(nodes) > self.workers + self.gateways and all(  # kind makes them side by side
            self._try_exec(node.id, ["ctr", "version"]) is not None for node in nodes
        )

    @staticmethod
    def _poll(holds: Callable[[], bool], over: threading.Event) -> bool:
        """Until it holds (True), somebody else has failed, or 5 minutes are over (False)."""
        from tenacity import Retrying, retry_if_result, stop_after_delay, stop_any, wait_random
        from tenacity.stop import stop_when_event_set

        def pause(seconds: float) -> None:
            over.wait(seconds)

        retrying = Retrying(
            retry=retry_if_result(lambda held: not held),
            wait=wait_random(0.2, 0.4),
            stop=stop_any(stop_after_delay(300), stop_when_event_set(over)),
            sleep=pause,
            retry_error_callback=lambda state: False,
        )
        return bool(retrying(holds))

    def _api_answers(self) -> bool:
        """A request as admin is answered: kubeadm binds admin.conf's group only after /readyz is ok."""
        cluster = self.cluster()
        if cluster is None or not cluster.alive():
            return False
        try:
            return cluster.get(ObjectRef("v1", "Namespace", "kube-system")) is not None
        except KindctlError:
            return False

    def _try_exec(self, container: str, command: Sequence[str]) -> str | None:
        try:
            return self.tools.engine.exec(container, command)
        except ToolError:
            return None

    def _mark(self) -> None:
        for node in self.nodes():
            self._try_exec(node.id, ["touch", MARKER])

    def cluster(self) -> Cluster | None:
        with self._lock:
            if self._cluster is not None:
                return self._cluster
        nodes = self.nodes()
        if not nodes or nodes[0].state != "running":
            return None
        return self._opened(nodes[0], self._try_exec(nodes[0].id, ["cat", ADMIN_CONF]) or "")

    def _opened(self, node: ContainerInfo, admin_conf: str) -> Cluster | None:
        """The API behind this control plane, opened once."""
        with self._lock:
            if self._cluster is None and self._write_kubeconfig(node, admin_conf):
                self._cluster = self.tools.open_cluster(self.kubeconfig, self.context)
            return self._cluster

    def _write_kubeconfig(self, node: ContainerInfo, admin_conf: str) -> bool:
        """Always from the node: a file on the disk may be of an earlier cluster of this name."""
        address, port = next(iter(node.ports.get(API_PORT, ())), ("", 0))
        if not port or not admin_conf.strip():
            return False
        text = kubeconfig.for_host(admin_conf, self.environment, f"https://{address}:{port}")
        if self.tools.host.read(self.kubeconfig) != text:
            self.tools.host.write(self.kubeconfig, text, 0o600)
        return True

    def _forget(self) -> None:
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()
            self._cluster = None
            self._complete = ()
            self._images.forget()

    # --- images ----------------------------------------------------------------------------------

    def holds(self, image: str) -> bool:
        wanted = self.tools.engine.image(image)
        nodes = self._running()
        if wanted is None or not nodes:
            return False
        return all(self._images.has(node.id, image, wanted.id) for node in nodes)

    def deliver(self, image: str, progress: Progress) -> None:
        engine_image = self.tools.engine.image(image)
        if engine_image is None:
            raise KindctlError(f"image {image} is not in the engine")

        def into(node: ContainerInfo) -> None:
            if not self._images.has(node.id, image, engine_image.id):
                self.tools.engine.load_into(node.id, [image])
                self._images.forget()

        nodes = self._running()
        with ThreadPoolExecutor(max(len(nodes), 1)) as pool:
            list(pool.map(into, nodes))

    def _running(self) -> Sequence[ContainerInfo]:
        """Looked at anew while the cluster is made: nodes are still to come then."""
        return self._complete or [node for node in self.nodes() if node.state == "running"]

    # --- the end ---------------------------------------------------------------------------------

    def destroy(self) -> Change:
        self._forget()
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
            self._registry.untell(node)
        return Change(self._registry.remove())

    def _remove(self, nodes: Sequence[ContainerInfo]) -> None:
        with ThreadPoolExecutor(max(len(nodes), 1)) as pool:
            list(pool.map(lambda node: self.tools.engine.remove(node.id), nodes))
