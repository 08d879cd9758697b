"""The kinds of exposure: what each needs of nodes and Services, and where the host reaches it."""

from __future__ import annotations

import pytest

from kindctl.exposures import load_exposure
from kindctl.exposures.base import service_port
from kindctl.models import Object, PortMapping
from tests.fakes.ways import ports


def a_service() -> Object:
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    meta = {"name": "controller", "namespace": "gateway"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}}


def test_a_node_port_is_mapped_and_set_on_the_service() -> None:
    exposure = load_exposure("node-port")(ports(80, 443, 30080, 30443))
    assert exposure.mappings() == (PortMapping(80, 30080), PortMapping(443, 30443))
    assert [e.url for e in exposure.endpoints()] == ["http://localhost", "https://localhost"]
    assert (exposure.on_node, exposure.forwards()) == (False, ())
    service = a_service()
    exposure.shape(service)
    assert service["spec"] == {
        "type": "NodePort",
        "ports": [
            {"name": "http", "port": 80, "nodePort": 30080},
            {"name": "https", "port": 443, "nodePort": 30443},
        ],
    }


def test_a_load_balancer_has_its_address_from_the_cluster() -> None:
    exposure = load_exposure("load-balancer")(ports(8080, 8443))
    assert (exposure.on_node, exposure.mappings(), exposure.forwards()) == (False, (), ())
    assert [(e.url, e.external) for e in exposure.endpoints()] == [
        ("http://EXTERNAL-IP:8080", "gateway/controller"),
        ("https://EXTERNAL-IP:8443", "gateway/controller"),
    ]
    service = a_service()
    exposure.shape(service)
    assert service["spec"]["type"] == "LoadBalancer"
    assert [port["port"] for port in service["spec"]["ports"]] == [8080, 8443]


def test_a_port_that_the_service_does_not_have_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        service_port(a_service(), "grpc")
