"""configs/several-nodes: one control plane, two workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.harness import Kindctl, docker, http, inspect, until
from tests.support.way import Way, way


@pytest.fixture(scope="module")
def several(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("several-nodes", kindctl, tmp_path_factory) as found:
        yield found


def database(several: Way) -> Any:
    """The pod, once it is ready."""

    def ready() -> Any:
        pods = several.api.pods("example", "app=database")
        alive = [pod for pod in pods if not pod.metadata.deletion_timestamp]
        statuses = [status for pod in alive for status in pod.status.container_statuses or ()]
        return alive[0] if len(alive) == 1 and statuses and statuses[0].ready else None

    return until(ready, 120, "a ready database")


def rows() -> Any:
    def answer() -> Any:
        found = http("http://localhost/api/fetch")
        return [row["text"] for row in found.json()] if found.status == 200 else None

    return until(answer, 30, "the rows")


def address(node: str) -> str:
    return docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", node)


def test_the_urls_answer(several: Way) -> None:
    assert several.urls == ["http://localhost/", "http://localhost/api/healthy"]
    assert '"database":"ok"' in http("http://localhost/api/healthy").body


def test_the_engine_shows_the_ports_of_the_file_and_no_others(several: Way) -> None:
    ports = {}
    for node in several.nodes():
        found = inspect(node)
        ports[found["Name"]] = {
            (inner, bound[0]["HostIp"], bound[0]["HostPort"])
            for inner, bound in (found["HostConfig"]["PortBindings"] or {}).items()
            if inner != "6443/tcp"
        }
    assert ports == {
        "/several-nodes-control-plane": {
            ("80/tcp", "127.0.0.1", "80"),
            ("443/tcp", "127.0.0.1", "443"),
        },
        "/several-nodes-worker": set(),
        "/several-nodes-worker2": set(),
    }


def test_the_controller_is_where_the_ports_are_and_the_apps_are_elsewhere(several: Way) -> None:
    (controller,) = several.api.pods("ingress-nginx")
    assert controller.spec.node_name == "several-nodes-control-plane"
    nodes = {pod.spec.node_name for pod in several.api.pods("example")}
    assert nodes == {"several-nodes-worker", "several-nodes-worker2"}


def test_the_images_are_on_every_node(several: Way) -> None:
    used = {
        container.image
        for namespace in ("example", "ingress-nginx")
        for pod in several.api.pods(namespace)
        for container in pod.spec.containers
    }
    assert len(used) == 4
    for node in several.nodes():
        found = json.loads(docker("exec", node, "crictl", "images", "-o", "json"))["images"]
        names = {name for image in found for name in image["repoTags"]}
        assert used <= names


def test_a_node_port_answers_on_the_address_of_each_node(several: Way) -> None:
    service = several.api.core.read_namespaced_service("ingress-nginx-controller", "ingress-nginx")
    port = service.spec.ports[0].node_port
    for node in several.nodes():
        assert http(f"http://{address(node)}:{port}/api/healthy").status == 200


def test_a_second_up_changes_nothing(several: Way) -> None:
    assert several.again().changes() == []


def test_the_database_keeps_its_rows_and_its_node_when_its_pod_is_replaced(several: Way) -> None:
    before = database(several)
    http("http://localhost/api/add", "POST", {"text": "kept"})
    assert rows() == ["kept"]
    several.api.core.delete_namespaced_pod(before.metadata.name, "example")
    after = database(several)
    assert after.metadata.name != before.metadata.name
    assert after.spec.node_name == before.spec.node_name
    assert rows() == ["kept"]


def test_with_its_node_closed_the_database_waits_rather_than_starting_empty(several: Way) -> None:
    before = database(several)
    node = before.spec.node_name
    several.api.core.patch_node(node, {"spec": {"unschedulable": True}})
    try:
        several.api.core.delete_namespaced_pod(before.metadata.name, "example")

        def why() -> Any:
            pods = several.api.pods("example", "app=database")
            waiting = [pod for pod in pods if pod.status.phase == "Pending"]
            conditions = [c for pod in waiting for c in pod.status.conditions or ()]
            return next((c.message for c in conditions if c.reason == "Unschedulable"), None)

        assert "node affinity" in until(why, 60, "the scheduler's word")
    finally:
        several.api.core.patch_node(node, {"spec": {"unschedulable": False}})
    assert database(several).spec.node_name == node
    assert rows() == ["kept"]


def test_zz_it_comes_back_with_other_addresses_after_the_engine_stopped_it(several: Way) -> None:
    nodes = several.nodes()
    before = {node: address(node) for node in nodes}
    docker("stop", "--time", "5", *nodes)
    squat = docker(
        *("run", "-d", "--rm", "--network", "kind", "--entrypoint", "sleep"),
        *(inspect(nodes[0])["Config"]["Image"], "900"),
    )
    try:
        docker("start", *sorted(nodes, key=before.__getitem__, reverse=True))
        after = {node: address(node) for node in nodes}
        up = several.again()
    finally:
        docker("rm", "-f", squat)
    several.note(moved=sum(before[node] != after[node] for node in nodes), up_again=up.seconds)
    assert before != after
    assert rows() == ["kept"]
