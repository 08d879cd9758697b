"""configs/node-port: Services on ports of the nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.harness import Kindctl, docker, http, inspect
from tests.support.way import Way, everybody, way


@pytest.fixture(scope="module")
def node_port(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("node-port", kindctl, tmp_path_factory) as found:
        yield found


def test_the_url_leads_to_the_pods(node_port: Way) -> None:
    assert node_port.urls == ["http://localhost:30080/", "http://localhost:8081/status"]
    pods = {f"hello from {pod.metadata.name}" for pod in node_port.api.pods("hello")}
    assert len(pods) == 2
    seen = everybody("http://localhost:30080", pods)
    assert seen == pods


def test_the_services_have_the_node_ports_that_the_engine_maps(node_port: Way) -> None:
    (node,) = node_port.nodes()
    bindings = inspect(node)["HostConfig"]["PortBindings"]
    mapped = {
        port: (bound[0]["HostIp"], bound[0]["HostPort"])
        for port, bound in bindings.items()
        if port != "6443/tcp"
    }
    services = {
        name: node_port.api.core.read_namespaced_service(name, "hello").spec
        for name in ("hello", "admin")
    }
    assert {spec.type for spec in services.values()} == {"NodePort"}
    assert services["hello"].ports[0].node_port == 30080
    chosen = services["admin"].ports[0].node_port
    assert mapped == {
        "30080/tcp": ("127.0.0.1", "30080"),
        f"{chosen}/tcp": ("127.0.0.1", "8081"),
    }


def test_the_node_port_answers_on_the_nodes_own_address(node_port: Way) -> None:
    (node,) = node_port.nodes()
    address = docker(
        "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", node
    )
    assert http(f"http://{address}:30080").body.startswith("hello from ")


def test_a_second_up_changes_nothing(node_port: Way) -> None:
    assert node_port.again().changes() == []


def test_a_port_that_the_living_cluster_has_not_mapped_is_refused(node_port: Way) -> None:
    node_port.replace("nodePort: 30080", "nodePort: 30099")
    try:
        refused = node_port.up(code=1)
        error = refused.error()
        assert error["code"] == "needs-new-cluster"
        assert "30099" in error["why"]
        assert "via: port-forward" in error["fix"]
        service = node_port.api.core.read_namespaced_service("hello", "hello")
        assert service.spec.ports[0].node_port == 30080
    finally:
        node_port.replace("nodePort: 30099", "nodePort: 30080")


def test_a_renamed_service_takes_the_node_port_over(node_port: Way) -> None:
    node_port.replace("service: hello,", "service: greeting,")
    service = "kind: Service\nmetadata:\n  name: hello\n"
    node_port.replace(service, service.replace("hello", "greeting"), "k8s/hello.yaml")
    changes = node_port.up().changes()
    assert "removed Service hello/hello, which used the same node port" in changes
    assert "created Service hello/greeting" in changes
    assert http("http://localhost:30080").body.startswith("hello from ")
