"""A second app, of another team and another shape, through the same door as the sample."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.e2e.conftest import FOREIGN
from tests.support.harness import Api, Kindctl, docker, inspect, node_ids, until

URL = "http://greeter.localhost:8182/"


@pytest.fixture(scope="module")
def foreign(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kindctl]:
    folder = tmp_path_factory.mktemp("foreign") / "app"
    shutil.copytree(ROOT / "tests" / "e2e" / "foreign", folder)
    here = Kindctl(folder, kindctl.home)
    here.run("down")
    here.run("up", "--yes")
    yield here
    here.run("down")


def test_everything_of_it_came_up(foreign: Kindctl, tmp_path: Path) -> None:
    api = Api(FOREIGN, tmp_path)
    store = api.apps.read_namespaced_stateful_set("store", "back")
    assert store.status.ready_replicas == 1
    job = api.batch.read_namespaced_job("seed", "back")
    assert job.status.succeeded == 1
    greeting = api.raw("/apis/example.com/v1/namespaces/front/greetings/first")
    assert greeting["spec"]["words"] == "hello"
    assert foreign.run("urls").out.split() == [URL]
    assert "hello from greeter-" in _get()


def _get() -> str:
    """`*.localhost` is this machine by RFC 6761, though not every resolver knows it."""
    import urllib.request

    request = urllib.request.Request(
        "http://127.0.0.1:8182/", headers={"Host": "greeter.localhost:8182"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as response:
        return str(response.read().decode())


def test_a_second_up_changes_nothing(foreign: Kindctl, tmp_path: Path) -> None:
    api = Api(FOREIGN, tmp_path)
    before = {pod.metadata.uid for space in ("front", "back") for pod in api.pods(space)}
    assert foreign.run("up", "-o", "json").changes() == []
    assert {pod.metadata.uid for space in ("front", "back") for pod in api.pods(space)} == before


def test_a_changed_configmap_rolls_its_deployment(foreign: Kindctl, tmp_path: Path) -> None:
    api = Api(FOREIGN, tmp_path)
    before = {pod.metadata.name for pod in api.pods("front")}
    store = {pod.metadata.uid for pod in api.pods("back", "app=store")}
    file = foreign.folder / "k8s" / "30-front.yaml"
    file.write_text(file.read_text().replace("words: hello", "words: good day"))
    config = foreign.folder / "kindctl.yaml"
    config.write_text(config.read_text().replace("hello from", "good day from"))
    foreign.run("up")
    until(lambda: "good day from" in _get(), 10, "the controller lets go of the old pod")
    until(lambda: not before & {p.metadata.name for p in api.pods("front")}, 60, "old pods go")
    assert {pod.metadata.uid for pod in api.pods("back", "app=store")} == store


def test_changed_code_is_built_again_and_rolled(foreign: Kindctl, tmp_path: Path) -> None:
    api = Api(FOREIGN, tmp_path)
    image = api.pods("front")[0].spec.containers[0].image
    code = foreign.folder / "greeter" / "greet.py"
    code.write_text(code.read_text().replace("from {os", "coming from {os"))
    config = foreign.folder / "kindctl.yaml"
    config.write_text(config.read_text().replace("day from", "day coming from"))
    seed = api.batch.read_namespaced_job("seed", "back")
    foreign.run("up")
    until(lambda: "coming from" in _get(), 10, "the controller lets go of the old pod")
    assert {p.spec.containers[0].image for p in api.pods("front", "app=greeter")} != {image}
    again = api.batch.read_namespaced_job("seed", "back")  # of the same image: it ran once more
    assert again.metadata.uid != seed.metadata.uid
    assert again.status.succeeded == 1


def test_what_the_file_no_longer_has_is_pruned(foreign: Kindctl, tmp_path: Path) -> None:
    api = Api(FOREIGN, tmp_path)
    jobs = foreign.folder / "k8s" / "10-back.yaml"
    text = jobs.read_text()
    jobs.write_text(text[: text.index("---\napiVersion: batch/v1")])
    assert "removed Job back/seed" in foreign.run("up", "-o", "json").changes()
    assert [job.metadata.name for job in api.batch.list_namespaced_job("back").items] == []


def test_a_change_that_needs_a_new_cluster_is_named_and_not_done(foreign: Kindctl) -> None:
    config = foreign.folder / "kindctl.yaml"
    text = config.read_text()
    nodes = node_ids(FOREIGN)
    try:
        config.write_text(text.replace("http: 8182", "http: 8282"))
        result = foreign.run("up", code=1)
        assert "needs-new-cluster" in result.err
        assert f"kindctl down {FOREIGN}" in result.err
        assert foreign.run("plan", code=5).out.count("needs a new cluster") == 1
    finally:
        config.write_text(text)
    assert node_ids(FOREIGN) == nodes


def test_zz_down_leaves_nothing(foreign: Kindctl) -> None:
    (node,) = node_ids(FOREIGN)
    volumes = [m["Name"] for m in inspect(node)["Mounts"] if m["Type"] == "volume"]
    assert volumes
    foreign.run("kubeconfig", "--merge")
    merged = foreign.home / "kubeconfig"
    assert FOREIGN in merged.read_text()
    foreign.run("down")
    assert node_ids(FOREIGN) == []
    assert not set(volumes) & set(docker("volume", "ls", "-q").split())
    assert FOREIGN not in merged.read_text()
    assert not (foreign.home / "data" / "kindctl" / "environments" / FOREIGN).exists()
    assert "nothing to do" in foreign.run("down").err
