"""configs/ha-gateway: ingress-nginx in replicas on nodes of its own, while one of them goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.harness import Kindctl, docker, http, inspect, until
from tests.support.trickle import Steady
from tests.support.way import Way, way

CONTROLLER = "app.kubernetes.io/name=ingress-nginx"
RIGHT = '"database":"ok"'
SECONDS = 30.0
AT = 5.0  # seconds after the start of the requests


@pytest.fixture(scope="module")
def gateway(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("ha-gateway", kindctl, tmp_path_factory) as found:
        yield found


def replicas(gateway: Way) -> list[Any]:
    """That stay, all of them ready."""
    pods = [
        pod
        for pod in gateway.api.pods("ingress", CONTROLLER)
        if not pod.metadata.deletion_timestamp
    ]
    ready = all(pod.status.container_statuses[0].ready for pod in pods)
    return pods if ready and len(pods) >= 2 else []


def requests() -> Steady:
    return Steady("http://localhost/api/healthy", RIGHT, SECONDS)


def test_the_urls_answer(gateway: Way) -> None:
    assert gateway.urls == ["http://localhost/", "http://localhost/api/healthy"]
    assert RIGHT in http("http://localhost/api/healthy").body


def test_each_gateway_node_has_a_replica_and_nothing_of_the_apps(gateway: Way) -> None:
    nodes = gateway.api.core.list_node(label_selector="kindctl.dev/gateway=true").items
    for node in nodes:
        taints = [(taint.key, taint.effect) for taint in node.spec.taints]
        assert taints == [("kindctl.dev/gateway", "NoSchedule")]
    names = {node.metadata.name for node in nodes}
    assert len(names) == 2
    assert {pod.spec.node_name for pod in replicas(gateway)} == names
    assert {pod.spec.node_name for pod in gateway.api.pods("example")}.isdisjoint(names)


def test_the_hosts_ports_lead_to_node_ports_of_the_control_plane(gateway: Way) -> None:
    ports = {}
    for node in gateway.nodes():
        found = inspect(node)
        ports[found["Name"]] = sorted(
            (inner, bound[0]["HostPort"])
            for inner, bound in (found["HostConfig"]["PortBindings"] or {}).items()
            if inner != "6443/tcp"
        )
    assert ports.pop("/ha-gateway-control-plane") == [("30080/tcp", "80"), ("30443/tcp", "443")]
    assert list(ports.values()) == [[], []]


def test_the_autoscaler_has_real_numbers(gateway: Way) -> None:
    def numbers() -> Any:
        path = "/apis/autoscaling/v2/namespaces/ingress/horizontalpodautoscalers"
        (scaler,) = gateway.api.raw(path)["items"]
        current = scaler["status"].get("currentMetrics") or [{}]
        return current[0].get("resource", {}).get("current", {}).get("averageUtilization")

    started = time.monotonic()
    seen = until(lambda: numbers() is not None and [numbers()], 120, "numbers of the autoscaler")
    gateway.note(autoscaler_percent=seen[0], after_up=round(time.monotonic() - started, 1))
    nodes = gateway.api.raw("/apis/metrics.k8s.io/v1beta1/nodes")["items"]
    assert len(nodes) == 3
    assert all(not node["usage"]["cpu"].startswith("0") for node in nodes)


def test_one_replica_at_a_time_may_be_evicted(gateway: Way) -> None:
    (budget,) = gateway.api.raw("/apis/policy/v1/namespaces/ingress/poddisruptionbudgets")["items"]
    assert budget["status"]["disruptionsAllowed"] == 1


def test_a_second_up_changes_nothing(gateway: Way) -> None:
    assert gateway.again().changes() == []


def test_a_replica_that_is_deleted_takes_no_request_with_it(gateway: Way) -> None:
    (pod, *_) = until(lambda: replicas(gateway), 60, "two replicas")
    with requests() as steady:
        time.sleep(AT)
        gateway.api.core.delete_namespaced_pod(pod.metadata.name, "ingress")
    gateway.note(deleted=True, requests=steady.sent, lost=len(steady.lost))
    assert steady.sent > 200
    assert steady.lost == []
    assert pod.metadata.name not in {p.metadata.name for p in replicas(gateway)}


def test_a_replica_that_is_killed_takes_only_those_with_it_that_it_was_given(gateway: Way) -> None:
    (pod, *_) = until(lambda: replicas(gateway), 60, "two replicas")
    container = pod.status.container_statuses[0].container_id.rpartition("/")[2]
    node = pod.spec.node_name
    template = ["-o", "go-template", "--template", "{{.info.pid}}"]
    pid = docker("exec", node, "crictl", "inspect", *template, container)
    with requests() as steady:
        time.sleep(AT)
        docker("exec", node, "kill", "-9", pid)
    gateway.note(killed=True, requests=steady.sent, lost=len(steady.lost), when=steady.lost)
    assert steady.sent > 200
    assert all(AT - 1 <= at < SECONDS - 5 for at, _ in steady.lost)  # and then it is over
    (again,) = [p for p in replicas(gateway) if p.metadata.name == pod.metadata.name]
    assert again.status.container_statuses[0].restart_count > 0
