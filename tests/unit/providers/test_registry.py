"""The registry of an environment: run, configured in the nodes, moved, removed, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kindctl.actions.down import down
from kindctl.actions.environments import environments
from kindctl.actions.plan import survey_plan
from kindctl.actions.status import status
from kindctl.config.load import Loaded
from kindctl.diagnose.checks import load as load_check
from kindctl.errors import KindctlError, MachineError, NotOursError
from kindctl.forward.__main__ import no_nodes
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, ObjectRef
from kindctl.planning.plan import make_plan
from kindctl.providers.registry import LocalRegistry
from tests.fakes.container import FakeContainer
from tests.support.machine import BARE, World, fit_machine, loaded

NAME = "kindctl-shop-registry"
HOSTING = ObjectRef("v1", "ConfigMap", "local-registry-hosting", "kube-public")
CERTS = "/etc/containerd/certs.d"


def with_registry(port: int = 5001) -> Loaded:
    return loaded(BARE.replace("cluster: {", f"cluster: {{registry: {{port: {port}}}, "))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = fit_machine(tmp_path, monkeypatch)
    world.engine.add_image("registry:2")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-public"}}
    world.cluster("shop").put(space)
    for port in (5001, 5002):
        world.net.reachable_urls.add(f"http://127.0.0.1:{port}/v2/")
    return world


@pytest.fixture
def up(world: World) -> World:
    world.up(with_registry())
    return world


def test_without_a_node_it_keeps_no_forwards_alive(up: World) -> None:
    assert not no_nodes(up.engine, "shop")
    up.engine.remove("shop-control-plane")
    assert up.engine.containers(name=NAME)
    assert no_nodes(up.engine, "shop")
    up.engine.problem = MachineError("the engine does not answer")
    assert not no_nodes(up.engine, "shop")


def node(world: World) -> FakeContainer:
    return world.engine.container("shop-control-plane")


def registries_in_node(world: World) -> set[str]:
    return {path.split("/")[4] for path in node(world).files if path.startswith(CERTS)}


def test_up_runs_it_and_configures_nodes_and_tools(up: World) -> None:
    (found,) = up.engine.containers(name=NAME)
    assert found.ports == {"5000/tcp": (("127.0.0.1", 5001),)}
    assert list(found.addresses) == ["kind"]
    assert found.labels[DOCKER_ENVIRONMENT_LABEL] == "shop"
    assert registries_in_node(up) == {"localhost:5001", f"{NAME}:5000"}
    hosting = up.cluster("shop").get(HOSTING)
    assert hosting is not None
    fields = yaml.safe_load(hosting["data"]["localRegistryHosting.v1"])
    assert fields["host"] == "localhost:5001"
    assert fields["hostFromContainerRuntime"] == fields["hostFromClusterNetwork"] == f"{NAME}:5000"
    assert {row.state for row in survey_plan(with_registry(), up.tools)} == {"ready"}


def test_what_somebody_took_away_comes_back(up: World) -> None:
    up.engine.remove(NAME)
    del node(up).files[f"{CERTS}/localhost:5001/hosts.toml"]
    rows = {row.step: row.state for row in survey_plan(with_registry(), up.tools)}
    assert rows["run the registry localhost:5001"] == "absent"
    up.up(with_registry())
    assert up.engine.container(NAME).state == "running"
    assert registries_in_node(up) == {"localhost:5001", f"{NAME}:5000"}


def test_a_stopped_one_is_run_again(up: World) -> None:
    up.engine.stop(NAME)
    up.up(with_registry())
    assert up.engine.container(NAME).state == "running"


def test_another_port_moves_it_and_keeps_its_images(up: World) -> None:
    before = node(up).id
    up.up(with_registry(5002))
    assert up.engine.container(NAME).ports == {"5000/tcp": (("127.0.0.1", 5002),)}
    assert registries_in_node(up) == {"localhost:5002", f"{NAME}:5000"}
    assert NAME in up.engine.volumes
    assert node(up).id == before


def test_out_of_the_file_it_goes_with_its_volume(up: World) -> None:
    up.up(loaded())
    assert up.engine.containers(name=NAME) == []
    assert NAME not in up.engine.volumes
    assert registries_in_node(up) == set()
    assert up.cluster("shop").get(HOSTING) is None
    assert {row.state for row in survey_plan(loaded(), up.tools)} == {"ready"}


def test_files_of_the_users_stay_whatever_they_name(up: World) -> None:
    mirror = f'[host."http://{NAME}:5000"]\n'
    other = "# kindctl: the registry of environment shop-2\n" + mirror
    theirs = {
        f"{CERTS}/docker.io/hosts.toml": mirror,
        f"{CERTS}/docker.io/ca.crt": "a certificate",
        f"{CERTS}/shop-2:5000/hosts.toml": other,
        f"{CERTS}/localhost:5001/ca.crt": "a certificate beside ours",
    }
    node(up).files.update(theirs)
    assert {row.state for row in survey_plan(with_registry(), up.tools)} == {"ready"}
    up.up(with_registry(5002))
    up.up(loaded())
    left = {path: text for path, text in node(up).files.items() if path.startswith(CERTS)}
    assert left == theirs


def test_it_is_shown_and_is_no_node(up: World) -> None:
    (row,) = environments(up.tools)
    assert (row.nodes, row.state) == (1, "running")
    assert "127.0.0.1:5001" in row.ports
    kinds = [(row.kind, row.name, row.ready) for row in status("shop", up.tools)]
    assert ("registry", "localhost:5001", True) in kinds
    assert [name for kind, name, _ in kinds if kind == "node"] == ["shop-control-plane"]


def test_down_removes_it_even_where_the_nodes_are_gone(up: World) -> None:
    up.engine.remove("shop-control-plane")
    assert [(row.name, row.state) for row in environments(up.tools)] == [("shop", "stopped")]
    assert f"removed the registry {NAME}" in down("shop", up.tools).done
    assert up.engine.containers() == []
    assert NAME not in up.engine.volumes


def test_another_container_or_volume_of_that_name_stays(world: World) -> None:
    world.engine.add_container(FakeContainer(NAME, "registry:2"))
    world.engine.volume_labels[NAME] = {}
    registry = LocalRegistry(world.engine, "shop", 5001)
    with pytest.raises(NotOursError, match="kindctl did not create"):
        registry.difference("registry:2")
    world.engine.remove(NAME)
    assert registry.remove() == ()
    assert NAME in world.engine.volume_labels


def test_a_node_that_would_not_read_it_is_named(world: World) -> None:
    world.made()
    node(world).files["/etc/containerd/config.toml"] = "version = 2\n"
    with pytest.raises(KindctlError) as refused:
        world.up(with_registry())
    assert refused.value.code == "registry-config"


def test_its_port_is_asked_for_before_anything_is_made(world: World) -> None:
    world.net.listen("127.0.0.1", 5001, "python3", 77)
    wanted = make_plan(with_registry(), world.tools).preflight.wants
    verdict = load_check("ports").ask(world.tools, wanted)
    assert verdict.code == "port-taken"
    assert "127.0.0.1:5001 is taken by python3 (process 77)" in verdict.seen
    assert "`cluster.registry.port: 5002`" in verdict.fix


def test_images_of_the_registry_are_left_to_the_nodes(world: World) -> None:
    Path("k8s.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: a},"
        " spec: {containers: [{name: a, image: 'localhost:5001/page:1'}]}}"
    )
    text = BARE.replace("cluster: {", "cluster: {registry: {}, ")
    plan = make_plan(loaded(f"{text}apps: [{{name: a, manifests: [k8s.yaml]}}]\n"), world.tools)
    steps = {step.name: step.needs for step in plan.steps}
    assert not [name for name in steps if "page" in name]
    assert "registry" in steps["apply:a"]
