"""Traefik: what it is made of, and what the environment changes in it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kindctl.components import CONTROLLERS, controller_class
from kindctl.components.traefik import Traefik, dynamic
from kindctl.exposures import load_exposure
from kindctl.images.pins import TRAEFIK
from kindctl.ingress.proof import environment_id
from kindctl.live.desired import desired
from kindctl.models import Object
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import ports, setup


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def found(objects: list[Object], kind: str) -> Object:
    return next(obj for obj in objects if obj["kind"] == kind)


def made(cluster: FakeCluster, via: str, **more: Any) -> list[Object]:
    exposure = load_exposure(via)(ports(80, 443, 80, 443))
    return Traefik(setup("shop", exposure, **more)).objects(cluster, str)


def args(objects: list[Object]) -> str:
    containers = found(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return " ".join(containers[0]["args"])


def test_the_registry_loads_it_by_the_name_of_its_component() -> None:
    controller = controller_class("traefik")(setup("shop"))
    assert controller.name == CONTROLLERS["traefik"][1]
    assert controller.images() == (TRAEFIK,)


def test_every_answer_says_which_environment_it_is_from(cluster: FakeCluster) -> None:
    config = found(made(cluster, "host-port"), "ConfigMap")["data"]["dynamic.yaml"]
    http = yaml.safe_load(config)["http"]
    headers = http["middlewares"]["kindctl"]["headers"]["customResponseHeaders"]
    assert headers == {
        "X-Kindctl-Environment": environment_id("shop", cluster),
        "X-Kindctl-Controller": "traefik",
    }
    text = args(made(cluster, "host-port"))
    for entry in ("web", "websecure"):
        assert f"--entryPoints.{entry}.http.middlewares=kindctl@file" in text


def test_what_no_rule_matches_is_a_404_that_says_so() -> None:
    http = yaml.safe_load(dynamic("shop.1"))["http"]
    for name, entry in (("unmatched", "web"), ("unmatched-tls", "websecure")):
        router = http["routers"][name]
        # an Ingress with a default backend alone has the least of a 32-bit number
        assert router["priority"] < -(1 << 31)
        assert router["entryPoints"] == [entry]
        assert router["middlewares"] == ["unmatched", "not-found"]
    assert http["middlewares"]["not-found"]["errors"]["statusRewrites"] == {"503": 404}
    told = http["middlewares"]["unmatched"]["headers"]["customResponseHeaders"]
    assert told == {"X-Kindctl-Ingress": "/"}


def test_by_host_ports_it_runs_where_they_are_mapped(cluster: FakeCluster) -> None:
    pod = found(made(cluster, "host-port"), "Deployment")["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["ingress-ready"] == "true"
    bound = {p["hostPort"] for p in pod["containers"][0]["ports"] if "hostPort" in p}
    assert bound == set(Traefik(setup("shop")).host_ports) == {80, 443}
    assert "publishStatusAddress=localhost" in args(made(cluster, "host-port"))


def test_behind_a_load_balancer_it_needs_no_node_and_publishes_its_service(
    cluster: FakeCluster,
) -> None:
    objects = made(cluster, "load-balancer")
    deployment = found(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert "ingress-ready" not in pod["nodeSelector"]
    assert not [p for p in pod["containers"][0]["ports"] if "hostPort" in p]
    assert deployment["spec"]["strategy"]["type"] == "RollingUpdate"
    assert found(objects, "Service")["spec"]["type"] == "LoadBalancer"
    assert "publishService=traefik/traefik" in args(objects)
    assert "localhost" not in args(objects)


def test_who_shares_node_ports_shares_a_namespace(cluster: FakeCluster) -> None:
    component = Traefik(setup("shop", load_exposure("node-port")(ports()), shared=True))
    objects = desired(component, cluster, "shop", str)
    spaces = {obj["metadata"].get("namespace") for obj in objects}
    assert spaces == {None, "ingress"}
    (binding,) = (obj for obj in objects if obj["kind"] == "ClusterRoleBinding")
    assert binding["subjects"][0]["namespace"] == "ingress"
    types = {o["metadata"]["name"]: o["spec"]["type"] for o in objects if o["kind"] == "Service"}
    assert types == {"traefik": "ClusterIP", "gateway": "NodePort"}


def test_the_certificate_for_localhost_is_served(cluster: FakeCluster) -> None:
    objects = made(cluster, "host-port")
    pod = found(objects, "Deployment")["spec"]["template"]["spec"]
    (volume,) = (v for v in pod["volumes"] if v["name"] == "tls")
    assert volume["secret"]["secretName"] == found(objects, "Secret")["metadata"]["name"]
    stores = yaml.safe_load(dynamic("shop.1"))["tls"]["stores"]
    assert stores["default"]["defaultCertificate"]["certFile"] == "/etc/traefik/tls/tls.crt"


def test_several_replicas_go_one_by_one_and_are_asked_once_they_know_the_routes(
    cluster: FakeCluster,
) -> None:
    objects = made(cluster, "node-port", shared=True, replicas=2, gateways=2)
    deployment = found(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["replicas"] == 2
    assert pod["containers"][0]["readinessProbe"]["initialDelaySeconds"] == 5
    assert "web.transport.lifeCycle.requestAcceptGraceTimeout=10s" in args(objects)
    assert found(objects, "PodDisruptionBudget")["metadata"]["namespace"] == "ingress"
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kindctl.dev/gateway": "true"}
    single = found(made(cluster, "node-port", shared=True), "Deployment")["spec"]["template"]
    assert "initialDelaySeconds" not in single["spec"]["containers"][0]["readinessProbe"]


def test_the_classes_of_both_are_served() -> None:
    assert set(Traefik(setup("shop")).ingress_classes) == {"traefik", "nginx"}
