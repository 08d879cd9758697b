"""Finds out whether the nodes of a kind cluster are ready, and which images they have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from kindctl.errors import KindctlError, ToolError
from kindctl.kube_objects import condition, is_ready
from kindctl.models import NotReady, Ready, State
from kindctl.references import full_name
from kindctl.tools.engine_protocol import ContainerInfo, Engine
from kindctl.tools.protocols import Cluster

Digests = Mapping[str, str]
"""Full name of an image -> digest."""


def try_exec(engine: Engine, node: ContainerInfo, *command: str) -> str | None:
    """Run a command in a node and return its output, or None if it fails."""
    try:
        return engine.exec(node.id, command)
    except ToolError:
        return None


def nodes_ready(cluster: Cluster, containers: Sequence[ContainerInfo]) -> State:
    """Return Ready if the node in each container is Ready and has reported since its container started.

    After a restart, the API shows a node's old condition until its kubelet renews the node's lease.
    """
    started = {node.name: node.started_at for node in containers}
    leases = {
        lease["metadata"]["name"]: lease["spec"].get("renewTime", "")
        for lease in cluster.list("coordination.k8s.io/v1", "Lease", namespace="kube-node-lease")
    }
    waiting = dict.fromkeys(started, "has not registered with the API server")
    for node in cluster.list("v1", "Node"):
        name = node["metadata"]["name"]
        renewed, since = leases.get(name), started.get(name)
        if not is_ready(node):
            message = condition(node, "Ready").get("message", "not Ready")
            waiting[name] = message.splitlines()[0]
        elif since and (not renewed or datetime.fromisoformat(renewed) < since):
            waiting[name] = "its kubelet has not reported since the node started"
        else:
            waiting.pop(name, None)
    if waiting:
        return NotReady("; ".join(f"{name}: {why}" for name, why in waiting.items()))
    return Ready(f"{len(started)} node{'s' if len(started) != 1 else ''}")


class NodeImages:
    """The images in the nodes. Images are compared by digest, because a name may now point to a newer
    image.

    `up` needs the list of a node's images for every image. So each list is cached until an image is
    delivered.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Digests] = {}

    def clear(self) -> None:
        """Clear the cached lists."""
        with self._lock:
            self._known.clear()

    def hold(self, nodes: Sequence[ContainerInfo], image: str) -> bool:
        """Return whether all nodes have the engine's image with this name. Returns False if no nodes
        exist."""
        wanted = self._engine.image(image)
        if wanted is None or not nodes:
            return False
        return all(self._has(node, image, wanted.id) for node in nodes)

    def deliver(self, nodes: Sequence[ContainerInfo], image: str) -> None:
        """Load an image of the engine into the nodes that lack it. Raises KindctlError."""
        wanted = self._engine.image(image)
        if wanted is None:
            raise KindctlError(f"image {image} is not in the engine")

        def load(node: ContainerInfo) -> None:
            if not self._has(node, image, wanted.id):
                self._engine.load_into(node.id, [image])
                self.clear()

        with ThreadPoolExecutor(max(len(nodes), 1)) as pool:
            list(pool.map(load, nodes))

    def _has(self, node: ContainerInfo, image: str, engine_id: str) -> bool:
        """Return whether a node has an image with this name and with the ID that the engine reports for it.

        The ID is the digest of the image's configuration, or of its manifest if the engine uses the
        containerd image store (Docker 29's default).
        """
        name = full_name(image)
        return any(
            self._ask(node, list_images).get(name) == engine_id
            for list_images in (self._configurations, self._manifests)
        )

    def _ask(self, node: ContainerInfo, list_images: Callable[[ContainerInfo], Digests]) -> Digests:
        with self._lock:
            key = (node.id, list_images.__name__)
            digests = self._known.get(key) or list_images(node)
            if digests:  # an empty list means that containerd is not up yet
                self._known[key] = digests
            return digests

    def _configurations(self, node: ContainerInfo) -> Digests:
        text = try_exec(self._engine, node, "crictl", "images", "--no-trunc", "-o", "json")
        return {
            name: image["id"]
            for image in json.loads(text or "{}").get("images", [])
            for name in image.get("repoTags", [])
        }

    def _manifests(self, node: ContainerInfo) -> Digests:
        text = try_exec(self._engine, node, "ctr", "--namespace", "k8s.io", "images", "ls") or ""
        rows = [line.split() for line in text.splitlines()[1:]]
        return {row[0]: row[2] for row in rows if len(row) > 2}  # REF TYPE DIGEST ...
