"""One ingress controller takes over from another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kindctl.components.nginx import IngressNginx
from kindctl.errors import KindctlError
from kindctl.exposures.host_port import HostPort
from kindctl.exposures.node_port import NodePort
from kindctl.ingress import handover as sharing
from kindctl.ingress.handover import Handover
from kindctl.ingress.proof import HOSTS, environment_id
from kindctl.live.desired import desired
from kindctl.live.port_holders import PortHolders
from kindctl.models import Absent, Differs, ExposedPort, Object, ObjectRef, Ready, Route
from kindctl.steps.handover.switched import Switched
from kindctl.steps.handover.takeover import NodePortTakeover
from kindctl.steps.objects import ObjectsApplied
from kindctl.tools.protocols import HttpAnswer
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import Heard
from tests.fakes.net import FakeNet, Request
from tests.fakes.ways import host_port, ports, setup
from tests.support import shop
from tests.support.controllers import namespace, workload

ROUTE = Route("http://localhost/", contains="shop")


def handover() -> Handover:
    return Handover("shop", ["ingress-nginx", "traefik"])


def nginx(*, shared: bool = False) -> IngressNginx:
    exposure = host_port() if not shared else HostPort(ports())
    return IngressNginx(setup("shop", exposure, handover=handover(), shared=shared))


@pytest.fixture
def cluster() -> FakeCluster:
    """With Traefik in charge."""
    cluster = FakeCluster()
    cluster.apply(namespace("traefik"))
    cluster.apply(workload("traefik", "traefik"))
    return cluster


def deployment(controller: IngressNginx, cluster: FakeCluster) -> Object:
    found = controller.objects(cluster, str)
    return next(obj for obj in found if obj["kind"] == "Deployment")


def host_ports(deployment: Object) -> set[int]:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {p["hostPort"] for c in containers for p in c["ports"] if "hostPort" in p}


def test_a_controller_starts_without_the_ports_that_another_has(cluster: FakeCluster) -> None:
    controller = nginx()
    assert host_ports(deployment(controller, cluster)) == set()
    controller.handover.over(controller.name)
    assert host_ports(deployment(controller, cluster)) == {80, 443}


def test_one_that_only_runs_does_not_take_the_ports_of_the_one_in_charge() -> None:
    cluster = FakeCluster()
    cluster.apply(namespace("traefik"))
    cluster.apply(workload("traefik", "traefik", host_ports=False))
    assert host_ports(deployment(nginx(), cluster)) == {80, 443}


def test_apps_and_other_environments_are_no_controllers() -> None:
    cluster = FakeCluster()
    cluster.apply(namespace("shop"))
    cluster.apply(workload("shop", "shop"))
    other = workload("traefik", "shop")
    other["metadata"]["labels"]["kindctl.dev/environment"] = "other"
    cluster.apply(other)
    assert handover().others(cluster, "ingress-nginx") == frozenset()


def test_the_shared_service_leads_to_whoever_is_in_charge_until_it_is_over() -> None:
    cluster = FakeCluster()
    cluster.apply(namespace(sharing.NAMESPACE))
    cluster.apply(workload("traefik", sharing.NAMESPACE, host_ports=False))
    cluster.apply(sharing.shared_service({"app": "traefik"}, host_port()))
    controller = nginx(shared=True)
    assert shared(controller, cluster)["spec"]["selector"] == {"app": "traefik"}
    controller.handover.over(controller.name)
    assert (
        shared(controller, cluster)["spec"]["selector"]["app.kubernetes.io/name"] == "ingress-nginx"
    )


def test_who_shares_node_ports_shares_a_namespace(cluster: FakeCluster) -> None:
    for obj in desired(nginx(shared=True), cluster, "shop", str):
        text = str({**obj, "metadata": {**obj["metadata"], "labels": {}}})
        assert "'namespace': 'ingress-nginx'" not in text
    assert nginx(shared=True).service == (sharing.NAMESPACE, "ingress-nginx-controller")


def shared(controller: IngressNginx, cluster: FakeCluster) -> Object:
    found = controller.objects(cluster, str)
    return next(obj for obj in found if obj["metadata"]["name"] == sharing.SERVICE)


def test_node_ports_of_a_controller_of_the_users_are_a_way_in() -> None:
    cluster = FakeCluster()
    service = {
        "type": "NodePort",
        "selector": {"app": "c"},
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    labels = workload("custom", "front")["metadata"]["labels"]
    meta = {"name": "gate", "namespace": "front", "labels": labels}
    cluster.apply(namespace("front"))
    cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service})
    known = Handover("shop", ["ingress-nginx", "custom"])
    assert known.others(cluster, "ingress-nginx") == {"custom"}
    controller = IngressNginx(setup("shop", HostPort(ports()), handover=known, shared=True))
    objects = controller.objects(cluster, str)
    assert sharing.SERVICE not in {obj["metadata"]["name"] for obj in objects}
    known.over(controller.name)
    assert shared(controller, cluster)["spec"]["selector"]


def test_without_the_shared_service_nothing_can_be_turned_over() -> None:
    cluster = FakeCluster()
    one = ExposedPort("http", sharing.NAMESPACE, sharing.SERVICE, "http", 80, 30080)
    way = NodePort([one])
    assert not sharing.is_turned_over(way, cluster)
    cluster.apply(namespace(sharing.NAMESPACE))
    cluster.apply(sharing.shared_service({"app": "traefik"}, host_port()))
    assert sharing.is_turned_over(way, cluster)
    assert not sharing.is_turned_over(host_port(), cluster)


@dataclass
class Provider:
    api: FakeCluster
    name: str = "kind"
    context: str = "kind-shop"

    def cluster(self) -> FakeCluster:
        return self.api


@dataclass
class Pods:
    """Ready at once."""

    def observe(self) -> Ready:
        return Ready()


@dataclass
class Machine:
    """The host: its port leads to the controller whose Deployment has the ports."""

    cluster: FakeCluster
    net: FakeNet = field(default_factory=FakeNet)

    def __post_init__(self) -> None:
        self.net.serve("127.0.0.1", 80, self.answer)

    def answer(self, request: Request) -> HttpAnswer:
        holders = [
            obj["metadata"]["labels"]["kindctl.dev/component"]
            for obj in self.cluster.list("apps/v1", "Deployment")
            if host_ports(obj)
        ]
        if len(holders) != 1:
            return HttpAnswer(502, {}, b"")
        return right(self.cluster, holders[0])


def right(cluster: FakeCluster, controller: str, body: bytes = b"shop") -> HttpAnswer:
    identity = environment_id("shop", cluster)
    headers = {"x-kindctl-environment": identity, "x-kindctl-controller": controller}
    return HttpAnswer(200, headers, body)


def switch(cluster: FakeCluster, controller: IngressNginx) -> Switched:
    provider: Any = Provider(cluster)
    ready: Any = Pods()
    applied = ObjectsApplied(
        name="apply",
        title="",
        needs=frozenset(),
        component=controller,
        provider=provider,
        environment="shop",
        resolve=str,
        port_holders=PortHolders("shop", [controller]),
    )
    applied.observe()
    applied.apply(Heard())
    return Switched(
        controller=controller,
        takeover=NodePortTakeover(controller, controller.handover, applied),
        provider=provider,
        environment="shop",
        routes=[ROUTE],
        net=Machine(cluster).net,
        ready=ready,
        needs=frozenset(),
    )


def test_the_new_one_gets_the_ports_and_the_old_one_goes(cluster: FakeCluster) -> None:
    controller = nginx()
    step = switch(cluster, controller)
    served = ("ingress-nginx", "ingress-nginx-controller")
    cluster.servers[served] = lambda port, path, host: right(cluster, "ingress-nginx")
    assert step.observe() == Differs("traefik has the entry point")
    first, *removed = step.apply(Heard()).done
    assert first.startswith("switched from traefik to ingress-nginx: ")
    assert removed == ["removed Deployment traefik/traefik"]
    live = cluster.get(
        ObjectRef("apps/v1", "Deployment", "ingress-nginx-controller", "ingress-nginx")
    )
    assert live is not None
    assert host_ports(live) == {80, 443}
    assert step.observe() == Ready()


def test_definitions_stay_for_prune_which_looks_who_else_uses_them(cluster: FakeCluster) -> None:
    """The API server removes every object of a kind whose definition goes, whoever made it."""
    definition = shop.crd()
    definition["metadata"]["labels"] = workload("traefik", "traefik")["metadata"]["labels"]
    cluster.apply(definition)
    step = switch(cluster, nginx())
    served = ("ingress-nginx", "ingress-nginx-controller")
    cluster.servers[served] = lambda port, path, host: right(cluster, "ingress-nginx")
    _, *removed = step.apply(Heard()).done
    assert removed == ["removed Deployment traefik/traefik"]
    assert cluster.get(ObjectRef.of(definition))


def silent(controller: str) -> HttpAnswer:
    """Of a controller that sets no headers."""
    return HttpAnswer(200, {}, b"shop " + controller.encode())


def test_one_that_sets_no_headers_is_known_by_the_witness(cluster: FakeCluster) -> None:
    """The pod behind it is asked, through its Service before the switch and through the port after it."""
    step = switch(cluster, nginx())
    step.routes = [replace(ROUTE, via_witness=True)]
    asked: list[str] = []

    def serve(port: str, path: str, host: str) -> HttpAnswer:
        asked.append(host)
        return right(cluster, "ingress-nginx") if host == HOSTS["http"] else silent("new")

    def answer(request: Request) -> HttpAnswer:
        found = machine.answer(request)
        told = found.headers.get("x-kindctl-controller")
        return (
            silent("new")
            if told == "ingress-nginx" and request.host not in HOSTS.values()
            else found
        )

    machine = Machine(cluster)
    cluster.servers["ingress-nginx", "ingress-nginx-controller"] = serve
    machine.net.serve("127.0.0.1", 80, answer)
    step.net = machine.net
    first, *removed = step.apply(Heard()).done
    assert first.startswith("switched from traefik to ingress-nginx: ")
    assert removed == ["removed Deployment traefik/traefik"]
    assert asked == ["localhost", HOSTS["http"]]


def test_while_the_old_one_sets_no_headers_no_request_counts_as_lost(cluster: FakeCluster) -> None:
    step = switch(cluster, nginx())
    identity = environment_id("shop", cluster)
    told = right(cluster, "custom")
    step.net = net = FakeNet()
    net.serve("127.0.0.1", 80, lambda r: told if r.host in HOSTS.values() else silent("old"))
    assert step.is_answered(identity)
    net.serve("127.0.0.1", 80, lambda r: silent("somebody"))
    assert not step.is_answered(identity)


def test_one_that_does_not_answer_rightly_takes_nothing(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kindctl.steps.handover.switched.PROVE_SECONDS", 0.1)
    step = switch(cluster, nginx())
    served = ("ingress-nginx", "ingress-nginx-controller")
    cluster.servers[served] = lambda port, path, host: right(cluster, "ingress-nginx", b"welcome")
    with pytest.raises(KindctlError, match="traefik, which still serves the URLs") as caught:
        step.apply(Heard())
    assert caught.value.code == "switch-refused"
    assert "http://localhost/: 200 OK, without 'shop'" in caught.value.why
    assert cluster.deleted == []
    assert step.observe() == Differs("traefik has the entry point")


def test_without_a_cluster_there_is_nothing_to_hand_over(cluster: FakeCluster) -> None:
    step = switch(cluster, nginx())
    step.provider.cluster = lambda: None  # type: ignore[method-assign]
    assert step.observe() == Absent("no cluster")
    assert not step.apply(Heard())
