"""A controller in several replicas, and the add-on that its autoscaler goes by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kindctl.components import controller_class, load_addon
from kindctl.components.metrics_server import API
from kindctl.components.nginx import GRACE, WITHDRAWN
from kindctl.config.load import load
from kindctl.errors import ConfigError
from kindctl.exposures import load_exposure
from kindctl.images.pins import METRICS_SERVER
from kindctl.models import Object
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import ports, setup


def objects(**how: Any) -> dict[str, Object]:
    """Kind -> object of the controller."""
    way = load_exposure("node-port")(ports())
    made = controller_class("nginx")(setup("shop", way, shared=True, **how))
    found = made.objects(FakeCluster(), str)
    return {obj["kind"]: obj for obj in found if obj["metadata"]["name"] != "x"}


def pod(deployment: Object) -> Any:
    return deployment["spec"]["template"]["spec"]


def test_one_replica_is_as_ever() -> None:
    found = objects()
    assert pod(found["Deployment"])["terminationGracePeriodSeconds"] == 0
    assert not {"PodDisruptionBudget", "HorizontalPodAutoscaler"} & found.keys()


def test_two_replicas_are_spread_and_one_goes_at_a_time() -> None:
    found = objects(replicas=2)
    spec = found["Deployment"]["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    (spread,) = pod(found["Deployment"])["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["labelSelector"]) == (
        "kubernetes.io/hostname",
        spec["selector"],
    )
    assert (spread["maxSkew"], spread["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    budget = found["PodDisruptionBudget"]
    assert budget["spec"] == {"maxUnavailable": 1, "selector": spec["selector"]}
    assert budget["metadata"]["namespace"] == "ingress"
    assert "HorizontalPodAutoscaler" not in found


def test_a_replica_that_goes_takes_requests_until_everybody_knows() -> None:
    spec = pod(objects(replicas=2)["Deployment"])
    (container,) = spec["containers"]
    assert f"--shutdown-grace-period={WITHDRAWN}" in container["args"]
    assert container["lifecycle"]["preStop"] == {"exec": {"command": ["/wait-shutdown"]}}
    assert spec["terminationGracePeriodSeconds"] == GRACE > WITHDRAWN + 240
    assert container["resources"]["requests"]["cpu"]  # what the autoscaler's percentage is of
    assert container["resources"]["limits"]


def test_a_new_replica_is_ready_when_its_workers_are() -> None:
    (container,) = pod(objects(replicas=2)["Deployment"])["containers"]
    probe = container["readinessProbe"]
    assert (probe["successThreshold"] - 1) * probe["periodSeconds"] > 1


def test_gateway_nodes_are_selected_and_tolerated() -> None:
    spec = pod(objects(gateways=2)["Deployment"])
    assert spec["nodeSelector"]["kindctl.dev/gateway"] == "true"
    assert "ingress-ready" not in spec["nodeSelector"]
    toleration = {"key": "kindctl.dev/gateway", "operator": "Exists", "effect": "NoSchedule"}
    assert toleration in spec["tolerations"]


def test_the_autoscaler_starts_from_the_replicas() -> None:
    found = objects(replicas=2, autoscale=(4, 60))
    spec = found["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert spec["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    (metric,) = spec["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "ingress: {replicas: 2}",
            2,
            "`replicas` does not work with `via: host-port`: this machine's ports lead to one node",
        ),
        ("cluster: {gateways: 1}", 2, "`gateways` does not work with `via: host-port`"),
        (
            "ingress:\n  expose: {via: node-port}\n  autoscale: {max: 2}",
            4,
            "`autoscale` needs metrics-server",
        ),
        (
            "addons: [metrics-server]\ningress:\n  expose: {via: node-port}\n  replicas: 3\n"
            "  autoscale: {max: 2}",
            6,
            "autoscale.max is 2, less than the 3 replicas",
        ),
        (
            "ingress: {controller: none, replicas: 2}",
            2,
            "`replicas` needs an ingress controller",
        ),
    ],
)
def test_what_cannot_be_combined_is_refused(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    (tmp_path / "kindctl.yaml").write_text(f"name: shop\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "kindctl.yaml")
    (problem,) = caught.value.problems
    assert problem.line == line
    assert message in problem.message
    assert problem.hint


def test_traefik_may_have_them_too(tmp_path: Path) -> None:
    text = "name: shop\ningress: {controller: traefik, replicas: 2, expose: {via: node-port}}\n"
    (tmp_path / "kindctl.yaml").write_text(text)
    assert load(tmp_path / "kindctl.yaml").config.ingress.replicas == 2


# --- metrics-server ------------------------------------------------------------------------------


def test_metrics_server_is_proven_by_its_api() -> None:
    addon = load_addon("metrics-server", setup("shop"))
    cluster = FakeCluster()
    deployment = next(
        obj
        for obj in addon.objects(cluster, lambda name: f"x/{name}")
        if obj["kind"] == "Deployment"
    )
    (container,) = pod(deployment)["containers"]
    assert container["image"] == f"x/{METRICS_SERVER}"
    assert "--kubelet-insecure-tls" in container["args"]
    assert "not available: not checked yet" in addon.prove(cluster)
    (api,) = addon.late_objects(cluster)
    assert api["metadata"]["name"] == API.name
    seen = {"type": "Available", "status": "False", "message": "no endpoints"}
    live = {**api, "status": {"conditions": [seen]}}
    cluster.put(live)
    assert addon.prove(cluster) == "the metrics API is not available: no endpoints"
    cluster.delete(API)
    cluster.put({**api, "status": {"conditions": [{**seen, "status": "True"}]}})
    assert addon.prove(cluster) == ""
