"""The definitions of Gateway API: whose they are, and when they are applied."""

from __future__ import annotations

from typing import Any

import pytest

from kindctl.components.traefik import Traefik
from kindctl.errors import KindctlError
from kindctl.exposures import load_exposure
from kindctl.images.objects import objects_in
from kindctl.images.pins import FILES, GATEWAY_API
from kindctl.ingress.gateway_api import GROUP, WITNESS, Definitions, ServesGateways
from kindctl.live.desired import desired
from kindctl.models import Object, ObjectRef
from tests.fakes.cluster import FakeCluster
from tests.fakes.engine import FakeEngine
from tests.fakes.ways import ports, setup

KINDS = {"GatewayClass": "Cluster", "Gateway": "Namespaced", "HTTPRoute": "Namespaced"}
POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "safe-upgrades"},
}


def definition(kind: str, version: str = "v1.5.1") -> Object:
    plural = {"GatewayClass": "gatewayclasses"}.get(kind, f"{kind.lower()}s")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {f"{GROUP}/bundle-version": version},
        },
        "spec": {
            "group": GROUP,
            "names": {"kind": kind, "plural": plural},
            "scope": KINDS[kind],
            "versions": [{"name": "v1", "served": True}],
        },
        "status": {"conditions": []},
    }


class Reader:
    """Counts how often the image is read."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, image: str, folder: str) -> list[Object]:
        assert (image, folder) == (GATEWAY_API, "/crds")
        self.read += 1
        return [*map(definition, KINDS), POLICY]


def traefik(reader: Reader | None = None, via: str = "host-port", **more: Any) -> Traefik:
    exposure = load_exposure(via)(ports(80, 443, 80, 443))
    return Traefik(setup("shop", exposure, gateway_api=True, read_image=reader or Reader(), **more))


def apply(cluster: FakeCluster, objects: list[Object]) -> None:
    for obj in objects:
        cluster.apply(obj)


def args(component: Traefik, cluster: FakeCluster) -> str:
    (deployment,) = (o for o in component.objects(cluster, str) if o["kind"] == "Deployment")
    return " ".join(deployment["spec"]["template"]["spec"]["containers"][0]["args"])


def test_the_pins_name_the_image_of_files_that_no_node_needs() -> None:
    assert GATEWAY_API in FILES
    assert GATEWAY_API in traefik().images()
    assert GATEWAY_API not in Traefik(setup("shop")).images()


def test_definitions_come_first_then_the_class_and_the_gateway() -> None:
    cluster = FakeCluster()
    objects = desired(traefik(), cluster, "shop", str)
    kinds = [obj["kind"] for obj in objects]
    assert kinds.index("CustomResourceDefinition") < kinds.index("GatewayClass")
    assert kinds.index("GatewayClass") < kinds.index("Gateway")
    assert POLICY["kind"] not in kinds
    (gateway_class,) = (obj for obj in objects if obj["kind"] == "GatewayClass")
    assert "namespace" not in gateway_class["metadata"]
    definitions = [obj for obj in objects if obj["kind"] == "CustomResourceDefinition"]
    assert all("status" not in obj for obj in definitions)


def test_they_outlive_their_controller_since_everybodys_routes_would_go_with_them() -> None:
    for obj in Definitions(GATEWAY_API, Reader(), ()).objects(FakeCluster()):
        assert obj["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_once_there_they_are_neither_read_nor_compared() -> None:
    cluster = FakeCluster()
    apply(cluster, desired(traefik(), cluster, "shop", str))
    reader = Reader()
    again = desired(traefik(reader), cluster, "shop", str)
    assert "CustomResourceDefinition" not in {obj["kind"] for obj in again}
    assert reader.read == 0


def test_one_that_was_deleted_comes_back() -> None:
    cluster = FakeCluster()
    component = traefik()
    apply(cluster, desired(component, cluster, "shop", str))
    cluster.delete(WITNESS)
    names = {obj["metadata"]["name"] for obj in desired(component, cluster, "shop", str)}
    assert WITNESS.name in names


def test_the_image_is_read_once_and_not_before_it_is_there() -> None:
    reader = Reader()
    component, cluster = traefik(reader), FakeCluster()
    assert component.objects(cluster, str) == component.objects(cluster, str)
    assert reader.read == 1
    empty = Traefik(setup("shop", gateway_api=True))
    kinds = {obj["kind"] for obj in empty.objects(cluster, str)}
    assert "CustomResourceDefinition" not in kinds


def test_those_of_somebody_else_are_left_alone() -> None:
    cluster = FakeCluster()
    for kind in KINDS:
        cluster.put(definition(kind, "v1.6.0"))
    needed = [("v1", kind) for kind in KINDS]
    assert Definitions(GATEWAY_API, Reader(), needed).objects(cluster) == []


def test_old_ones_of_somebody_else_are_named() -> None:
    cluster = FakeCluster()
    cluster.put(definition("Gateway", "v1.2.0"))
    with pytest.raises(
        KindctlError, match=r"Gateway API v1\.2\.0, .* does not serve .*TLSRoute v1"
    ) as caught:
        traefik().objects(cluster, str)
    assert caught.value.code == "gateway-api-old"


@pytest.mark.parametrize(
    ("via", "told"),
    [
        ("host-port", "statusAddress.hostname=localhost"),
        ("load-balancer", "statusAddress.service.name=traefik"),
    ],
)
def test_gateways_are_told_where_they_are_reached(via: str, told: str) -> None:
    text = args(traefik(via=via), FakeCluster())
    assert f"--providers.kubernetesGateway.{told}" in text
    assert "--providers.kubernetesGateway=true" in text
    assert "kubernetesGateway" not in args(Traefik(setup("shop")), FakeCluster())


def test_its_own_gateway_is_for_the_routes_of_every_namespace() -> None:
    component = traefik()
    assert isinstance(component, ServesGateways)
    (gateway,) = component.gateways
    assert gateway["spec"]["gatewayClassName"] in component.gateway_classes
    listeners = gateway["spec"]["listeners"]
    assert {one["port"] for one in listeners} == set(component.listener_ports)
    assert all(one["allowedRoutes"]["namespaces"]["from"] == "All" for one in listeners)
    cluster = FakeCluster()
    apply(cluster, desired(component, cluster, "shop", str))
    (reference,) = listeners[1]["tls"]["certificateRefs"]
    assert cluster.get(ObjectRef("v1", "Secret", reference["name"], component.namespace))


def test_who_shares_node_ports_has_the_gateway_beside_the_others() -> None:
    (gateway,) = traefik(via="node-port", shared=True).gateways
    assert gateway["metadata"]["namespace"] == "ingress"


def test_objects_are_read_in_the_order_of_their_files() -> None:
    engine = FakeEngine()
    files = {"b.yaml": "kind: B\n---\nkind: C\n---\n", "a.yaml": "kind: A\n", "c.txt": "no: no"}
    engine.add_files("files:1", "/crds", files)
    assert [obj["kind"] for obj in objects_in(engine, "files:1", "/crds")] == ["A", "B", "C"]
