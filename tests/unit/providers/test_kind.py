"""kind's clusters: what is seen of them, what is made, replaced, refused and removed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl import kubeconfig
from kindctl.errors import KindctlError, NotOursError, ToolError
from kindctl.models import (
    DOCKER_ENVIRONMENT_LABEL,
    UNCHANGED,
    Absent,
    Differs,
    NotReady,
    ObjectRef,
    PortMapping,
    Ready,
    Say,
    State,
)
from kindctl.providers.kind import MARKER, KindProvider
from kindctl.providers.node_image import MADE_FOR_LABEL
from kindctl.tools.protocols import Tools
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import Heard
from tests.fakes.container import FakeContainer
from tests.fakes.engine import INFO, FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet

NODE_IMAGE = "kindest/node:v1.36.3"
PORTS = (PortMapping(80, 30080), PortMapping(443, 30443))
CONTROL_PLANE = "shop-control-plane"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)


class ListeningKind(FakeKind):
    """Keeps the configurations that it got."""

    configs: list[dict[str, Any]]

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        self.configs = [*getattr(self, "configs", []), yaml.safe_load(config)]
        super().create(name, config, kubeconfig, say)


class World:
    """A machine with the node image; a cluster whose nodes register when kind has made them."""

    def __init__(self) -> None:
        self.engine, self.host, self.cluster = FakeEngine(), FakeHost(), FakeCluster()
        self.kind = ListeningKind(self.engine, self.host, on_create=self.register)
        self.opened: list[tuple[Path, str]] = []
        self.engine.add_image(NODE_IMAGE)

    @property
    def tools(self) -> Tools:
        def open_cluster(path: Path, context: str) -> FakeCluster:
            self.opened.append((path, context))
            return self.cluster

        return Tools(self.engine, self.kind, FakeNet(), self.host, open_cluster, FakeForwards())

    def provider(self, **how: Any) -> KindProvider:
        given: dict[str, Any] = {"node_image": NODE_IMAGE, "mappings": PORTS, **how}
        return KindProvider(self.tools, "shop", resolve=lambda name: name, **given)

    def made(self, **how: Any) -> KindProvider:
        provider = self.provider(**how)
        provider.create(Heard())
        return provider

    def register(self, name: str) -> None:
        for node in self.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: name}):
            self.node(node.name)
            self.renew(node.name, LATER)

    def node(self, name: str, ready: str = "True", message: str = "") -> None:
        condition = {"type": "Ready", "status": ready, "message": message}
        meta = {"name": name}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": meta}
        self.cluster.put(node)
        self.cluster.set_status(ObjectRef.of(node), {"conditions": [condition]})

    def renew(self, name: str, when: datetime) -> None:
        meta = {"name": "kube-node-lease"}
        self.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease"},
            "spec": {"renewTime": when.isoformat()},
        }
        self.cluster.put(lease)

    def foreign(self) -> None:
        self.engine.add_container(
            FakeContainer(
                CONTROL_PLANE,
                NODE_IMAGE,
                labels={
                    "io.x-k8s.kind.cluster": "shop",
                    "io.x-k8s.kind.role": "control-plane",
                },
            )
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return World()


def seen(state: State) -> str:
    assert isinstance(state, NotReady)
    return state.seen


# --- looking and making --------------------------------------------------------------------------


def test_a_cluster_is_absent_then_created_then_ready(world: World) -> None:
    provider, heard = world.provider(workers=1), Heard()
    assert provider.observe() == Absent("no cluster")
    assert provider.create(heard).done == ("created cluster shop",)
    assert heard.reached == ["containerd", "api"]
    assert provider.observe() == Ready("2 nodes")
    assert provider.create(Heard()) == UNCHANGED


def test_every_node_says_whose_it_is_and_what_it_was_made_for(world: World) -> None:
    world.made(workers=1)
    nodes = world.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: "shop"})
    assert sorted(node.name for node in nodes) == [CONTROL_PLANE, "shop-worker"]
    for node in nodes:
        made_for = json.loads(node.labels[MADE_FOR_LABEL])
        assert made_for["node image"] == NODE_IMAGE
        assert made_for["ports"] == "127.0.0.1:80->30080, 127.0.0.1:443->30443"
        assert MARKER in world.engine.container(node.name).files
    (image,) = {node["image"] for node in world.kind.configs[0]["nodes"]}
    assert image.startswith("kindctl.local/environment/shop:")


def test_the_image_of_the_nodes_is_built_once_for_what_it_says(world: World) -> None:
    world.made().destroy()
    world.made().destroy()
    assert len(world.engine.built) == 1
    world.made(mappings=())
    assert len(world.engine.built) == 2


@pytest.mark.parametrize(("name", "file"), [("corp.crt", "corp.crt"), ("corp.pem", "corp.pem.crt")])
def test_nodes_trust_the_extra_authorities(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    """update-ca-certificates(8) reads *.crt files only."""
    seen: list[str] = []
    build = world.engine.build

    def watched(what: Any, say: Say) -> Any:
        folder = Path(what.context)
        seen.append((folder / "Dockerfile").read_text() + (folder / "cas" / file).read_text())
        return build(what, say)

    monkeypatch.setattr(world.engine, "build", watched)
    world.made(extra_cas={name: "PEM of corp"})
    assert "COPY cas /usr/local/share/ca-certificates/" in seen[0]
    assert "RUN update-ca-certificates" in seen[0]
    assert seen[0].endswith("PEM of corp")


def test_the_kubeconfig_is_for_its_owner_alone_and_names_the_environment(world: World) -> None:
    provider = world.made()
    assert world.host.modes[provider.kubeconfig] == 0o600
    config = yaml.safe_load(world.host.files[provider.kubeconfig])
    assert config["current-context"] == "kind-shop"
    ((_, port),) = world.engine.container(CONTROL_PLANE).ports["6443/tcp"]
    assert config["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{port}"
    assert set(world.opened) == {(provider.kubeconfig, "kind-shop")}


def test_a_kubeconfig_of_an_earlier_cluster_is_written_anew(world: World) -> None:
    world.made()
    provider = world.provider()
    world.host.files[provider.kubeconfig] = "of an earlier cluster"
    provider.cluster()
    text = world.host.files[provider.kubeconfig]
    admin = world.engine.container(CONTROL_PLANE).files["/etc/kubernetes/admin.conf"]
    server = yaml.safe_load(text)["clusters"][0]["cluster"]["server"]
    assert text == kubeconfig.for_host(admin, "shop", server)


@pytest.mark.parametrize("gone", ["node", "port", "admin.conf"])
def test_there_is_no_cluster_without_a_way_to_its_api(world: World, gone: str) -> None:
    world.made()
    container = world.engine.container(CONTROL_PLANE)
    if gone == "node":
        container.state = "exited"
    elif gone == "port":
        container.ports.pop("6443/tcp")
    else:
        container.files["/etc/kubernetes/admin.conf"] = "\n"
    assert world.provider().cluster() is None


# --- what an interrupted creation left -----------------------------------------------------------


def test_what_an_interrupted_creation_left_is_replaced_and_said(world: World) -> None:
    old = world.made()
    first = world.engine.container(CONTROL_PLANE)
    del first.files[MARKER]
    assert old.observe() == Differs("the creation of the cluster was interrupted")
    heard = Heard()
    assert old.create(heard).done == ("replaced cluster shop",)
    assert "removing the nodes of an interrupted creation" in heard.said
    assert world.engine.container(CONTROL_PLANE) is not first
    assert old.observe() == Ready("1 node")


def test_an_interrupted_creation_that_was_stopped_is_replaced_too(world: World) -> None:
    provider = world.made()
    first = world.engine.container(CONTROL_PLANE)
    del first.files[MARKER]
    first.state = "exited"
    assert provider.create(Heard()).done == ("replaced cluster shop",)
    assert world.engine.container(CONTROL_PLANE) is not first


def test_a_node_that_has_never_run_is_replaced_once_its_port_is_free(world: World) -> None:
    world.engine.ports_in_use = lambda address, port: port == 80
    provider = world.provider()
    for _ in range(2):  # the second time there is a node already
        with pytest.raises(KindctlError) as failed:
            provider.create(Heard())
        assert failed.value.code == "port-taken"
    assert world.engine.container(CONTROL_PLANE).state == "created"
    world.engine.ports_in_use = lambda address, port: False
    assert provider.create(Heard()).done == ("replaced cluster shop",)
    assert provider.observe() == Ready("1 node")


def test_a_creation_that_fails_after_the_api_answered_leaves_no_marker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that could not join: such a cluster never gets whole by itself."""
    world.kind.failures.append("failed to join node with kubeadm")
    make_nodes = world.kind.make_nodes

    def api_comes_up(*how: Any) -> int:
        port = make_nodes(*how)
        admin = yaml.safe_dump({"clusters": [{"cluster": {}}], "users": [{"user": {}}]})
        world.engine.container(CONTROL_PLANE).files["/etc/kubernetes/admin.conf"] = admin
        while "api" not in heard.reached:
            time.sleep(0.001)
        return port

    monkeypatch.setattr(world.kind, "make_nodes", api_comes_up)
    provider, heard = world.provider(), Heard()
    with pytest.raises(KindctlError):
        provider.create(heard)
    assert MARKER not in world.engine.container(CONTROL_PLANE).files
    assert provider.observe() == Differs("the creation of the cluster was interrupted")


def test_a_node_that_booted_too_slowly_is_tried_once_more(world: World) -> None:
    """kind#2972: a busy machine. A second time is not luck any more."""
    slow = 'could not find a log line that matches "Reached target"'
    world.kind.failures.append(slow)
    heard = Heard()
    assert world.provider().create(heard).done == ("created cluster shop",)

    world.provider().destroy()
    world.kind.failures.extend([slow, slow])
    with pytest.raises(ToolError) as caught:
        world.provider().create(Heard())
    assert caught.value.code == "kind-log-line"


def test_kinds_failure_carries_the_last_words_of_a_node_that_died(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.kind.failures.append("failed to init node with kubeadm")
    make_nodes = world.kind.make_nodes

    def node_dies(*how: Any) -> int:
        port = make_nodes(*how)
        node = world.engine.container(CONTROL_PLANE)
        node.state, node.log = "exited", ["Failed to mount cgroup"]
        return port

    monkeypatch.setattr(world.kind, "make_nodes", node_dies)
    with pytest.raises(ToolError) as failed:
        world.provider().create(Heard())
    assert failed.value.code == "kind-kubeadm"
    assert failed.value.output.endswith(f"--- {CONTROL_PLANE}\nFailed to mount cgroup")
    assert "run kindctl up again" in failed.value.fix


# --- another's -----------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["observe", "create", "destroy", "cluster"])
def test_anothers_cluster_is_left_alone(world: World, do: str) -> None:
    world.foreign()
    provider = world.provider()
    calls: dict[str, Callable[[], object]] = {
        "observe": provider.observe,
        "create": lambda: provider.create(Heard()),
        "destroy": provider.destroy,
        "cluster": provider.cluster,
    }
    with pytest.raises(NotOursError) as refused:
        calls[do]()
    assert "kind delete cluster --name shop" in refused.value.fix
    assert world.engine.container(CONTROL_PLANE).state == "running"


# --- stopped nodes -------------------------------------------------------------------------------


def test_a_stopped_node_differs_and_is_started(world: World) -> None:
    provider = world.made(workers=1)
    world.engine.stop(CONTROL_PLANE)
    assert provider.observe() == Differs(f"{CONTROL_PLANE} is stopped")
    world.engine.stop("shop-worker")
    assert provider.observe() == Differs(f"{CONTROL_PLANE}, shop-worker are stopped")
    heard = Heard()
    change = provider.create(heard)
    assert change.done == (f"started node {CONTROL_PLANE}", "started node shop-worker")
    assert heard.said == [f"starting {CONTROL_PLANE}", "starting shop-worker"]
    assert heard.reached == ["containerd", "api"]
    assert provider.observe() == Ready("2 nodes")


def test_a_restarted_node_is_ready_by_a_newer_word_of_its_kubelet_only(world: World) -> None:
    provider = world.made()
    world.renew(CONTROL_PLANE, EARLIER)
    assert seen(provider.observe()) == (
        f"{CONTROL_PLANE}: its kubelet has not reported since the node started"
    )
    world.renew(CONTROL_PLANE, LATER)
    assert provider.observe() == Ready("1 node")


def test_nodes_that_are_not_ready_say_why(world: World) -> None:
    provider = world.made(workers=1)
    world.node("shop-worker", "False", "cni plugin not initialized\nsecond line")
    assert seen(provider.observe()) == "shop-worker: cni plugin not initialized"
    world.cluster.delete(ObjectRef("v1", "Node", "shop-worker"))
    assert seen(provider.observe()) == "shop-worker: has not registered with the API server"
    world.cluster.down = True
    assert seen(provider.observe()) == "the API server does not answer yet"


# --- drift ---------------------------------------------------------------------------------------

DRIFT: dict[str, dict[str, Any]] = {
    "ports": {"mappings": (PortMapping(8080, 30080),)},
    "workers": {"workers": 2},
    "node image": {"node_image": "kindest/node:v1.35.0"},
    "kind": {"extra": {"extraMounts": [{"hostPath": "/data", "containerPath": "/data"}]}},
}


@pytest.mark.parametrize("what", DRIFT)
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_what_kind_fixes_at_creation_needs_a_new_cluster(
    world: World, what: str, stopped: bool
) -> None:
    world.made()
    changed = world.provider(**DRIFT[what])
    state = changed.observe()
    assert isinstance(state, Differs)
    assert state.what.startswith(f"needs a new cluster: {what} ")
    if stopped:
        world.engine.stop(CONTROL_PLANE)
    with pytest.raises(KindctlError) as refused:
        changed.create(Heard())
    assert refused.value.code == "needs-new-cluster"
    assert refused.value.why.startswith(f"{what} ")
    assert "kindctl down shop" in refused.value.fix
    assert len(world.kind.configs) == 1


def test_the_order_of_ports_in_the_file_is_nothing_to_the_cluster(world: World) -> None:
    one, other = PortMapping(80, 30080), PortMapping(443, 30443, "0.0.0.0")
    world.provider(mappings=(one, other)).create(Heard())
    assert isinstance(world.provider(mappings=(other, one)).observe(), Ready)
    state = world.provider(mappings=(other,)).observe()
    assert state == Differs(
        "needs a new cluster: ports 127.0.0.1:80->30080 is mapped but no longer wanted"
    )


def test_a_node_that_somebody_removed_needs_a_new_cluster(world: World) -> None:
    provider = world.made(workers=1)
    world.engine.remove("shop-worker")
    assert provider.observe() == Differs("needs a new cluster: 1 of 2 nodes exist")


# --- what kind is told ---------------------------------------------------------------------------


def test_kind_is_told_of_the_machine_and_the_version(world: World) -> None:
    world.engine.engine_info = replace(INFO, cgroup_version=1)
    world.engine.add_image("kindest/node:v1.34.2")
    world.made().destroy()
    world.made(node_image="kindest/node:v1.34.2").destroy()
    new, old = (config["kubeadmConfigPatches"][0] for config in world.kind.configs)
    assert "failCgroupV1: false" in new
    assert "failCgroupV1" not in old


def test_a_node_image_that_is_not_there_is_an_error(world: World) -> None:
    provider = KindProvider(world.tools, "shop", NODE_IMAGE, resolve=lambda _: None)
    with pytest.raises(KindctlError, match="is not in the engine"):
        provider.create(Heard())


# --- images --------------------------------------------------------------------------------------


def test_an_image_is_delivered_to_the_nodes_that_lack_it(world: World) -> None:
    provider = world.made(workers=1)
    world.engine.add_image("web:1")
    world.engine.load_into("shop-worker", ["web:1"])
    assert not provider.holds("web:1")
    provider.deliver("web:1", Heard())
    assert provider.holds("web:1")
    assert "docker.io/library/web:1" in world.engine.container(CONTROL_PLANE).images


def test_a_node_holds_an_image_by_what_it_is_not_by_its_name(world: World) -> None:
    provider = world.made()
    world.engine.add_image("web:1")
    provider.deliver("web:1", Heard())
    world.engine.add_image("web:1", world.engine.make_image("built anew"))
    assert not provider.holds("web:1")
    provider.deliver("web:1", Heard())
    assert provider.holds("web:1")


@pytest.mark.parametrize("store", ["classic", "containerd"])
def test_either_image_store_names_the_same_image(world: World, store: str) -> None:
    """The engine's ID is the digest of the configuration (crictl's id) or of the manifest (ctr's)."""
    provider = world.made()
    image = world.engine.add_image("web:1")
    node = world.engine.container(CONTROL_PLANE)
    configuration, manifest = (
        (image.id, "sha256:other") if store == "classic" else ("sha256:other", image.id)
    )
    name = "docker.io/library/web:1"
    listed = json.dumps({"images": [{"id": configuration, "repoTags": [name]}, {"id": "x"}]})
    node.programs["crictl"] = lambda *_: listed
    rows = ["REF TYPE DIGEST SIZE", f"{name} media {manifest} 1.0 MiB", ""]
    node.programs["ctr"] = lambda *_: "\n".join(rows)
    assert provider.holds("web:1")
    world.engine.add_image("web:1", world.engine.make_image("another"))
    assert not provider.holds("web:1")


def test_nothing_is_held_before_there_are_nodes_or_containerd(world: World) -> None:
    provider = world.provider()
    world.engine.add_image("web:1")
    assert not provider.holds("web:1")
    provider.create(Heard())
    provider.deliver("web:1", Heard())
    assert not provider.holds("unknown:1")
    node = world.engine.container(CONTROL_PLANE)
    programs = dict(node.programs)
    del node.programs["crictl"], node.programs["ctr"]
    later = world.provider()
    assert not later.holds("web:1")
    node.programs = programs
    assert later.holds("web:1"), "containerd has come up meanwhile"


def test_images_wait_for_the_containerd_of_every_node_that_is_to_come(world: World) -> None:
    world.made()
    assert world.provider()._containerd_answers()
    assert not world.provider(workers=1)._containerd_answers()


def test_an_image_that_the_engine_lacks_cannot_be_delivered(world: World) -> None:
    with pytest.raises(KindctlError, match="web:1 is not in the engine"):
        world.made().deliver("web:1", Heard())


def test_an_up_that_finds_everything_asks_for_the_nodes_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question is a process: many images are to be found in the nodes."""
    world.made()
    for name in ("shop:1", "shop:2"):
        world.engine.add_image(name)
        world.engine.load_into(CONTROL_PLANE, [name])
    asked: list[str] = []

    def listening(name: str) -> None:
        real = getattr(world.engine, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            asked.append(args[1][0] if name == "exec" else name)
            return real(*args, **kwargs)

        monkeypatch.setattr(world.engine, name, call)

    listening("containers")
    listening("exec")
    provider = world.provider()
    assert provider.observe() == Ready("1 node")
    assert provider.cluster() is world.cluster
    assert provider.holds("shop:1")
    assert provider.holds("shop:2")
    assert asked == ["containers", "cat", "crictl"]


def test_nodes_are_looked_at_anew_after_something_happened_to_them(world: World) -> None:
    provider = world.made()
    world.engine.add_image("shop:1")
    world.engine.load_into(CONTROL_PLANE, ["shop:1"])
    assert provider.observe() == Ready("1 node")
    assert provider.holds("shop:1")
    world.engine.stop(CONTROL_PLANE)
    assert isinstance(provider.observe(), Differs)
    assert not provider.holds("shop:1"), "no node runs"
    provider.create(Heard())
    assert provider.observe() == Ready("1 node")
    assert provider.holds("shop:1")
    provider.destroy()
    assert provider.cluster() is None
    provider.create(Heard())
    assert not provider.holds("shop:1")
    world.engine.load_into(CONTROL_PLANE, ["shop:1"])
    provider.create(Heard())
    assert provider.holds("shop:1")


# --- the end -------------------------------------------------------------------------------------


def test_destroy_removes_the_containers_with_their_volumes(world: World) -> None:
    provider = world.made(workers=1)
    world.engine.stop("shop-worker")
    assert provider.destroy().done == (
        f"removed node {CONTROL_PLANE}",
        "removed node shop-worker",
    )
    assert world.engine.containers() == []
    assert world.engine.volumes == set()
    assert provider.observe() == Absent("no cluster")
    assert provider.destroy() == UNCHANGED
