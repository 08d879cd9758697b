"""What bundled controllers share, by one of two workloads that sets no headers of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from kindctl.components.bundled import BundledController
from kindctl.exposures.host_port import HostPort
from kindctl.exposures.node_port import NodePort
from kindctl.images.pins import NGINX
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.handover import ENTRY_POINT
from kindctl.models import Object, Route
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import ports, setup

MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: proxy, namespace: gate}
spec:
  selector: {app: proxy}
  ports: [{name: http, port: 80}, {name: https, port: 443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: control, namespace: gate}
spec:
  selector: {matchLabels: {app: control}}
  template:
    metadata: {labels: {app: control}}
    spec: {containers: [{name: control, image: unset}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: proxy, namespace: gate}
spec:
  selector: {matchLabels: {app: proxy}}
  template:
    metadata: {labels: {app: proxy}}
    spec:
      nodeSelector: {ingress-ready: "true"}
      initContainers: [{name: control, image: unset}]
      containers: [{name: proxy, image: unset, ports: [{containerPort: 80, hostPort: 80}]}]
"""


class Gate(BundledController):
    name = "gate"
    home = EntryPoint("gate", "proxy")
    package = "gate_of_the_test"
    files = ("all.yaml",)
    container_images: ClassVar[Mapping[str, str]] = {"control": "control:1", "proxy": "proxy:1"}
    ingress_classes = ("gate",)
    sets_headers = False


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifests = tmp_path / Gate.package / "manifests"
    manifests.mkdir(parents=True)
    (manifests.parent / "__init__.py").touch()
    (manifests / "all.yaml").write_text(MANIFESTS)
    monkeypatch.syspath_prepend(str(tmp_path))


def objects(gate: Gate) -> dict[str, Object]:
    """ "Kind/name" -> object."""
    found = gate.objects(FakeCluster(), lambda image: f"nodes/{image}")
    return {f"{obj['kind']}/{obj['metadata']['name']}": obj for obj in found}


def pod(workload: Object) -> Object:
    found: Object = workload["spec"]["template"]["spec"]
    return found


def test_its_entry_point_is_its_own_service_or_the_shared_one() -> None:
    assert Gate.entry_point(None, node_ports=False) == Gate.home
    assert Gate.entry_point(None, node_ports=True) == ENTRY_POINT


def test_every_container_gets_its_image() -> None:
    gate = Gate(setup("shop"))
    found = objects(gate)
    assert gate.images() == ("control:1", "proxy:1", NGINX)
    proxy = pod(found["DaemonSet/proxy"])
    assert proxy["initContainers"][0]["image"] == "nodes/control:1"
    assert proxy["containers"][0]["image"] == "nodes/proxy:1"


def test_only_pods_behind_its_service_have_and_leave_ports_of_a_node() -> None:
    proxy = pod(objects(Gate(setup("shop", HostPort(ports(80, 443, 80, 443)))))["DaemonSet/proxy"])
    assert proxy["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80}]
    left = objects(Gate(setup("shop", NodePort(ports()), shared=True)))
    proxy = pod(left["DaemonSet/proxy"])
    assert proxy["containers"][0]["ports"] == [{"containerPort": 80}]
    assert proxy["nodeSelector"] == {}
    assert left["Service/gateway"]["spec"]["selector"] == {"app": "proxy"}
    assert left["DaemonSet/proxy"]["metadata"]["namespace"] == "ingress"


def test_a_daemon_set_is_placed_and_a_control_plane_left_alone() -> None:
    found = objects(Gate(setup("shop", NodePort(ports()), shared=True, replicas=2, gateways=2)))
    proxy = pod(found["DaemonSet/proxy"])
    assert proxy["nodeSelector"] == {"kindctl.dev/gateway": "true"}
    assert proxy["terminationGracePeriodSeconds"] == Gate.grace
    assert not {"replicas", "strategy"} & found["DaemonSet/proxy"]["spec"].keys()
    assert "nodeSelector" not in pod(found["Deployment/control"])
    assert not {"PodDisruptionBudget/proxy", "PodDisruptionBudget/control"} & found.keys()


def test_without_headers_of_its_own_the_witness_proves_it() -> None:
    gate = Gate(setup("shop"))
    found = objects(gate)
    assert 'X-Kindctl-Controller "gate"' in found["ConfigMap/witness"]["data"]["default.conf"]
    assert found["Ingress/witness"]["spec"]["ingressClassName"] == "gate"
    assert gate.with_proof(Route("http://localhost/")).via_witness
