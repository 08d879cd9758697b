"""What every Kind does, and what an Engine does with a kind node. The real half makes one cluster."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from kindctl.errors import MachineError, ToolError
from kindctl.tools.engine import DockerEngine
from kindctl.tools.engine_protocol import Build, Engine, ImageInfo
from kindctl.tools.host import RealHost
from kindctl.tools.kind import KindProgram
from kindctl.tools.protocols import Host, Kind
from tests.fakes.engine import FakeEngine
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.support.benches import TEST_LABEL

NODE_IMAGE = "KINDCTL_TEST_NODE_IMAGE"
"""Environment variable: the node image for the real half; else the newest kindctl.local/node."""


@dataclass
class World:
    """One cluster from kind, and what it was made with."""

    engine: Engine
    kind: Kind
    host: Host
    folder: Path
    name: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    progress: list[str] = field(default_factory=list)

    @property
    def node(self) -> str:
        return f"{self.name}-control-plane"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "environment" / "kubeconfig"

    @property
    def image(self) -> str:
        return f"kindctl.local/{self.name}:node"

    def config(self, image: str = "", host_port: int = 0) -> str:
        node: dict[str, object] = {"role": "control-plane", "image": image or self.image}
        if host_port:
            port = {"containerPort": 80, "hostPort": host_port, "listenAddress": "127.0.0.1"}
            node["extraPortMappings"] = [port]
        kubelet = "kind: KubeletConfiguration\nfailCgroupV1: false\n"
        patches = [kubelet] if self.engine.info().cgroup_version == 1 else []
        version = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}
        return yaml.safe_dump({**version, "nodes": [node], "kubeadmConfigPatches": patches})

    def build(self, name: str, dockerfile: str) -> ImageInfo:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(dockerfile)
        labels = {TEST_LABEL: self.name}
        tag = f"kindctl.local/{self.name}:{name}"
        return self.engine.build(Build(str(folder), tag, labels=labels), lambda _: None)

    def create(self, name: str, config: str) -> None:
        self.kind.create(name, config, self.kubeconfig, self.progress.append)


@pytest.fixture(scope="module", params=["fake", "real"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """With an image to make nodes from, derived as kindctl does."""
    folder = tmp_path_factory.mktemp("kind")
    if request.param == "fake":
        fake_engine, fake_host = FakeEngine(), FakeHost()
        base = fake_engine.add_image("kindctl.local/node:fake").tags[0]
        world = World(fake_engine, FakeKind(fake_engine, fake_host), fake_host, folder)
    else:
        world = World(DockerEngine(), KindProgram(), RealHost(), folder)
        base = _node_image(world.engine)
    world.build("node", f"FROM {base}\n")
    yield world
    for container in world.engine.containers(labels={TEST_LABEL: world.name}):
        world.engine.remove(container.id)
    for image in world.engine.images({TEST_LABEL: world.name}):
        for tag in image.tags:
            world.engine.remove_image(tag)


@pytest.fixture(scope="module")
def cluster(world: World) -> World:
    world.create(world.name, world.config())
    return world


def _node_image(engine: Engine) -> str:
    if named := os.environ.get(NODE_IMAGE):
        return named
    tags = [tag for image in engine.images() for tag in image.tags]
    for tag in tags:  # the newest first
        if tag.startswith("kindctl.local/node:"):
            return tag
    pytest.fail(f"no node image: run `kindctl images build`, or set {NODE_IMAGE}")


# --- without a cluster ---------------------------------------------------------------------------


def test_the_version_is_three_numbers(world: World) -> None:
    assert [part.isdigit() for part in world.kind.version().split(".")] == [True] * 3


def test_an_unknown_cluster_can_be_deleted_but_has_no_kubeconfig(world: World) -> None:
    world.kind.delete("test-no-such-cluster", world.folder / "none")
    with pytest.raises(ToolError) as caught:
        world.kind.kubeconfig("test-no-such-cluster")
    assert caught.value.code == "kind-unknown-cluster"


def test_a_wrong_configuration_is_told_apart(world: World) -> None:
    with pytest.raises(ToolError) as caught:
        world.create(f"{world.name}-config", "kind: Nonsense\n")
    assert caught.value.code == "kind-config"
    assert caught.value.why


def test_a_missing_image_is_told_apart(world: World) -> None:
    with pytest.raises(ToolError) as caught:
        world.create(f"{world.name}-image", world.config(image="127.0.0.1:9/none:1"))
    assert caught.value.code == "kind-image"


def test_a_taken_port_is_told_apart_and_its_node_is_kept(
    world: World, request: pytest.FixtureRequest
) -> None:
    name, port = f"{world.name}-port", _taken_port(world, request)
    with pytest.raises(ToolError) as caught:
        world.create(name, world.config(host_port=port))
    assert caught.value.code == "port-taken"
    assert str(port) in caught.value.output
    (node,) = world.engine.containers(name=f"{name}-control-plane")
    assert node.state == "created"
    world.kind.delete(name, world.kubeconfig)
    assert world.engine.containers(name=f"{name}-control-plane") == []


def _taken_port(world: World, request: pytest.FixtureRequest) -> int:
    if isinstance(world.engine, FakeEngine):
        world.engine.ports_in_use = lambda address, port: port == 8443
        return 8443
    server = socket.create_server(("127.0.0.1", 0))
    request.addfinalizer(server.close)
    return int(server.getsockname()[1])


def test_without_kind_or_engine_it_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(world.kind, FakeKind):
        monkeypatch.setattr(world.kind, "installed", False)
    else:
        monkeypatch.setenv("PATH", str(world.folder))
    with pytest.raises(MachineError) as caught:
        world.kind.version()
    assert caught.value.code == "kind-missing"
    monkeypatch.undo()
    if isinstance(world.engine, FakeEngine):
        monkeypatch.setattr(world.engine, "problem", MachineError("down", code="engine-down"))
    else:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{world.folder}/no-engine.sock")
    with pytest.raises(MachineError) as caught:
        world.kind.delete("x", world.kubeconfig)
    assert caught.value.code == "engine-down"


# --- with a cluster ------------------------------------------------------------------------------


def test_the_node_of_a_cluster_is_a_container(cluster: World) -> None:
    labels = {"io.x-k8s.kind.cluster": cluster.name}
    (node,) = cluster.engine.containers(labels=labels)
    assert node.name == cluster.node
    assert node.labels["io.x-k8s.kind.role"] == "control-plane"
    assert node.labels[TEST_LABEL] == cluster.name  # of the image: kind has no labels of ours
    assert node.image == cluster.image
    assert node.state == "running"
    assert "kind" in node.addresses
    assert len(node.volumes) == 1
    assert "kind" in cluster.engine.networks()


def test_progress_was_told(cluster: World) -> None:
    assert any("Preparing nodes" in line for line in cluster.progress)
    assert all(line == line.strip() != "" for line in cluster.progress)


def test_the_kubeconfig_names_the_port_on_the_host(cluster: World) -> None:
    (node,) = cluster.engine.containers(name=cluster.node)
    ((address, port),) = node.ports["6443/tcp"]
    written = cluster.host.read(cluster.kubeconfig)
    for text in (written, cluster.kind.kubeconfig(cluster.name)):
        config = yaml.safe_load(text or "")
        assert config["clusters"][0]["cluster"]["server"] == f"https://{address}:{port}"
        assert config["current-context"] == f"kind-{cluster.name}"


def test_a_second_cluster_of_the_name_is_refused(cluster: World) -> None:
    with pytest.raises(ToolError) as caught:
        cluster.create(cluster.name, cluster.config())
    assert caught.value.code == "kind-exists"
    assert cluster.engine.containers(name=cluster.node)[0].state == "running"


def test_images_are_loaded_under_full_names(cluster: World) -> None:
    first = cluster.build("first", "FROM scratch\nCOPY . .\nLABEL n=1\n")
    second = cluster.build("second", "FROM scratch\nCOPY . .\nLABEL n=2\n")
    short = f"{cluster.name}-short"
    cluster.engine.tag(second.id, short)
    try:
        cluster.engine.load_into(cluster.node, [first.tags[0], short])
    finally:
        cluster.engine.remove_image(short)
    listed = cluster.engine.exec(cluster.node, ["ctr", "-n", "k8s.io", "images", "ls", "-q"])
    assert {first.tags[0], f"docker.io/library/{short}:latest"} <= set(listed.split())


def test_a_loaded_image_keeps_its_identity(cluster: World) -> None:
    """By the ID of its configuration or, with the containerd image store, by its digest."""
    image = cluster.build("first", "FROM scratch\nCOPY . .\nLABEL n=1\n")
    cluster.engine.load_into(cluster.node, image.tags)
    listed = cluster.engine.exec(cluster.node, ["ctr", "-n", "k8s.io", "images", "ls"])
    lines = [line.split() for line in listed.splitlines()]
    (digest,) = [words[2] for words in lines if words[0] == image.tags[0]]
    known = cluster.engine.exec(cluster.node, ["crictl", "images", "--no-trunc", "-o", "json"])
    ids = [one["id"] for one in json.loads(known)["images"] if image.tags[0] in one["repoTags"]]
    assert image.id in (digest, *ids)


def test_a_load_without_its_image_fails(cluster: World) -> None:
    with pytest.raises(ToolError) as caught:
        cluster.engine.load_into(cluster.node, [f"kindctl.local/{cluster.name}:none"])
    assert cluster.engine.image(f"kindctl.local/{cluster.name}:none") is None
    assert "No such image" in caught.value.output or "not exist" in caught.value.output


def test_a_load_into_no_node_fails(cluster: World) -> None:
    image = cluster.build("first", "FROM scratch\nCOPY . .\nLABEL n=1\n")
    with pytest.raises(ToolError) as caught:
        cluster.engine.load_into(f"{cluster.name}-none", image.tags)
    assert "No such container" in caught.value.output


def test_a_deleted_cluster_is_gone(cluster: World) -> None:
    cluster.kind.delete(cluster.name, cluster.kubeconfig)
    assert cluster.engine.containers(name=cluster.node) == []
    cluster.kind.delete(cluster.name, cluster.kubeconfig)
