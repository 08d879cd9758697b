"""configs/registry: `docker push localhost:5001/...`, and a pod runs it by that name."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl.tools.engine import DockerEngine
from tests import ROOT
from tests.support.harness import OUTPUT, Api, Kindctl, Result, docker, inspect, until

NAME = "registry"
NODE = f"{NAME}-control-plane"
CONTAINER = f"kindctl-{NAME}-registry"
PORT, OTHER = 5001, 5011
LAYER = 5 << 20


@dataclass
class Registry:
    """Brought up from the example as it is; `folder` has a copy of it that tests may change."""

    kindctl: Kindctl
    folder: Path
    first: Result
    api: Api

    def up(self, code: int = 0) -> Result:
        return self.kindctl.run("up", "-f", str(self.folder), "-o", "json", code=code)

    def changes(self) -> list[str]:
        return [words for words in self.up().changes() if "record" not in words]

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "kindctl.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def build(self, tag: str, says: str) -> str:
        """An image of the frontend's size with one layer of 5 MB on top; its name on the registry."""
        context = self.folder / "page"
        context.mkdir(exist_ok=True)
        (context / "content").write_bytes(os.urandom(LAYER))
        (context / "index.html").write_text(says)
        (context / "Dockerfile").write_text(
            f"FROM {base()}\nCOPY content /content\nCOPY index.html /index.html\n"
        )
        name = f"localhost:{PORT}/page:{tag}"
        docker("build", "--quiet", "--label=dev.kindctl.test=registry", "-t", name, str(context))
        return name


def base() -> str:
    (deployed,) = {
        image
        for image in docker("images", "--format={{.Repository}}:{{.Tag}}").split()
        if image.startswith("kindctl.local/python:")
    }
    return deployed


@pytest.fixture(scope="module")
def registry(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    kindctl.run("images", "build", "registry")
    kindctl.run("down", NAME)
    first = kindctl.run("up", "--yes", "-f", str(ROOT / "configs" / NAME), "-o", "json")
    folder = tmp_path_factory.mktemp("registry") / "mine"
    kindctl.run("init", "--example", NAME, str(folder))
    yield Registry(kindctl, folder, first, Api(NAME, tmp_path_factory.mktemp("api")))
    kindctl.run("down", NAME)
    if mine := docker("images", "-q", "--filter=label=dev.kindctl.test=registry").split():
        docker("rmi", "--force", *dict.fromkeys(mine))


def deployment(image: str) -> dict[str, Any]:
    command = ["python3", "-m", "http.server", "8000"]
    labels = {"app": "page"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "page"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "page", "image": image, "command": command}],
                },
            },
        },
    }


def running(api: Api, image: str) -> Any:
    """The one pod, if it runs this image."""
    pods = api.pods("default", "app=page")
    (status,) = (pods[0].status.container_statuses or [None]) if len(pods) == 1 else [None]
    return status and status.ready and status.image == image and pods[0]


def pulled(image: str) -> bool:
    return image in docker("exec", NODE, "ctr", "-n", "k8s.io", "images", "ls", "-q").split()


def test_the_registry_runs_on_loopback_and_is_no_node(registry: Registry) -> None:
    assert registry.first.ended()["report"]["urls"]
    found = inspect(CONTAINER)
    assert found["HostConfig"]["PortBindings"] == {
        "5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]
    }
    (row,) = [
        row
        for row in json.loads(registry.kindctl.run("list", "-o", "json").out)
        if row["name"] == NAME
    ]
    assert (row["nodes"], row["state"]) == (1, "running")
    assert f"127.0.0.1:{PORT}" in row["ports"]
    status = json.loads(registry.kindctl.run("status", NAME, "-o", "json").out)
    assert [row["name"] for row in status if row["kind"] == "node"] == [NODE]
    assert [row["name"] for row in status if row["kind"] == "registry"] == [f"localhost:{PORT}"]


def test_tools_are_told_of_it_as_kep_1755_wants(registry: Registry) -> None:
    api = registry.api
    found = api.core.read_namespaced_config_map("local-registry-hosting", "kube-public")
    hosting = yaml.safe_load(found.data["localRegistryHosting.v1"])
    assert hosting["host"] == f"localhost:{PORT}"
    assert set(hosting) == {"host", "hostFromContainerRuntime", "hostFromClusterNetwork", "help"}
    backend = api.pods("example", "app=backend")[0].metadata.name
    ask = "import urllib.request as r, sys; print(r.urlopen(sys.argv[1]).status)"
    url = f"http://{hosting['hostFromClusterNetwork']}/v2/"
    assert api.execute("example", backend, ["python3", "-c", ask, url]).strip() == "200"


def test_a_pod_runs_what_was_pushed_and_rolls_to_what_is_pushed_next(registry: Registry) -> None:
    api = registry.api
    first = registry.build("1", "one")
    docker("push", "--quiet", first)
    api.apps.create_namespaced_deployment("default", deployment(first))
    pod = until(lambda: running(api, first), 60, "the pod runs")
    assert api.execute("default", pod.metadata.name, ["cat", "/index.html"]) == "one"

    second = registry.build("2", "two")
    docker("push", "--quiet", second)
    api.apps.patch_namespaced_deployment("page", "default", deployment(second))
    pod = until(lambda: running(api, second), 60, "the pod is rolled")
    assert api.execute("default", pod.metadata.name, ["cat", "/index.html"]) == "two"
    (digest,) = inspect_image(second)["RepoDigests"]
    assert digest.partition("@")[2] in pod.status.container_statuses[0].image_id


def inspect_image(name: str) -> dict[str, Any]:
    (found,) = json.loads(docker("image", "inspect", name))
    return dict(found)


def test_a_changed_layer_comes_sooner_than_by_an_archive(registry: Registry) -> None:
    """5 MB on top of an image that the node has: pushed and pulled, and as `up` delivers."""
    engine = DockerEngine()
    times: list[tuple[float, float]] = []
    for number in range(3):
        name = registry.build(f"measured-{number}", str(number))
        start = time.monotonic()
        docker("push", "--quiet", name)
        docker("exec", NODE, "crictl", "pull", name)
        middle = time.monotonic()
        assert pulled(name)
        other = registry.build(f"loaded-{number}", f"other {number}")
        begin = time.monotonic()
        engine.load_into(NODE, [other])
        times.append((middle - start, time.monotonic() - begin))
        assert pulled(other)
    registry_seconds, archive_seconds = (sorted(each)[1] for each in zip(*times, strict=True))
    (OUTPUT / "registry.json").write_text(
        json.dumps({"push_and_pull": registry_seconds, "archive": archive_seconds})
    )
    assert registry_seconds < archive_seconds


def test_what_was_taken_away_comes_back_with_its_images(registry: Registry) -> None:
    assert registry.changes() == []
    docker("rm", "--force", CONTAINER)
    docker("exec", NODE, "rm", "-r", f"/etc/containerd/certs.d/localhost:{PORT}")
    assert registry.changes() == [
        f"started the registry localhost:{PORT}",
        f"configured {NODE} to pull from localhost:{PORT}",
    ]
    docker("exec", NODE, "crictl", "rmi", f"localhost:{PORT}/page:1")
    docker("exec", NODE, "crictl", "pull", f"localhost:{PORT}/page:1")


def test_a_node_that_was_stopped_still_knows_it(registry: Registry) -> None:
    docker("stop", NODE)
    assert not [words for words in registry.changes() if "told" in words]
    docker("exec", NODE, "crictl", "rmi", f"localhost:{PORT}/page:1")
    docker("exec", NODE, "crictl", "pull", f"localhost:{PORT}/page:1")


def test_a_taken_port_is_named_with_another(registry: Registry) -> None:
    registry.edit(f"port: {PORT}", f"port: {OTHER}")
    with socket.create_server(("127.0.0.1", OTHER)):
        refused = registry.up(code=3)
    text = refused.out + refused.err
    assert f"127.0.0.1:{OTHER} is taken by" in text
    assert f"port: {OTHER + 1}" in text
    assert inspect(CONTAINER)["State"]["Running"]


def test_another_port_needs_no_other_cluster(registry: Registry) -> None:
    node = inspect(NODE)["Id"]
    changes = registry.changes()
    assert f"started the registry localhost:{OTHER}" in changes
    assert inspect(NODE)["Id"] == node
    docker("exec", NODE, "crictl", "pull", f"localhost:{OTHER}/page:1")
    files = docker("exec", NODE, "ls", "/etc/containerd/certs.d").split()
    assert files == [f"{CONTAINER}:5000", f"localhost:{OTHER}"]
    found = registry.api.core.read_namespaced_config_map("local-registry-hosting", "kube-public")
    assert f"host: localhost:{OTHER}" in found.data["localRegistryHosting.v1"]


def test_zz_out_of_the_file_it_goes_with_its_images(registry: Registry) -> None:
    registry.edit(f"cluster:\n  registry: {{port: {OTHER}}}\n", "")
    registry.up()
    assert CONTAINER not in docker("ps", "-a", "--format={{.Names}}").split()
    assert CONTAINER not in docker("volume", "ls", "-q").split()
    assert docker("exec", NODE, "ls", "/etc/containerd/certs.d") == ""
    url = "/api/v1/namespaces/kube-public/configmaps/local-registry-hosting"
    assert registry.api.raw(url) is None


def test_zzz_down_leaves_nothing_of_it(registry: Registry) -> None:
    registry.edit("apps:", "cluster: {registry: {}}\napps:")
    registry.up()
    assert inspect(CONTAINER)["State"]["Running"]
    registry.kindctl.run("down", NAME)
    assert CONTAINER not in docker("ps", "-a", "--format={{.Names}}").split()
    assert CONTAINER not in docker("volume", "ls", "-q").split()
