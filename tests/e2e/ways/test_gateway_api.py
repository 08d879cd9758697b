"""configs/gateway-api: the sample behind a Gateway and an HTTPRoute, without an Ingress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.harness import Kindctl, http, until
from tests.support.way import Way, way

GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
ROUTE = f"{GATEWAY_API}/namespaces/example/httproutes/sample"
GATEWAY = f"{GATEWAY_API}/namespaces/example/gateways/sample"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def gateway(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("gateway-api", kindctl, tmp_path_factory) as found:
        yield found


def conditions(obj: Any) -> dict[str, str]:
    return {one["type"]: one["status"] for one in obj["conditions"]}


def test_the_page_and_the_api_behind_its_prefix_answer(gateway: Way) -> None:
    assert gateway.urls == [
        "http://localhost/",
        "http://localhost/api/healthy",
        "https://localhost/api/healthy",
    ]
    assert gateway.api.networking.list_ingress_for_all_namespaces().items == []
    page = http("http://localhost/")
    assert "<title>Sample · kindctl</title>" in page.body
    assert page.headers["X-Kindctl-Controller"] == "traefik"
    assert http("http://localhost/api/add", "POST", {"text": "by a route"}).status < 300
    (row,) = (r for r in http("http://localhost/api/fetch").json() if r["text"] == "by a route")
    assert http("http://localhost/api/delete", "DELETE", {"id": row["id"]}).status < 300
    assert "by a route" not in http("http://localhost/api/fetch").body


def test_what_was_waited_for_is_in_effect(gateway: Way) -> None:
    found = gateway.api.raw(GATEWAY)
    assert conditions(found["status"])["Programmed"] == "True"
    assert found["status"]["addresses"][0]["value"] == "localhost"
    parents = gateway.api.raw(ROUTE)["status"]["parents"]
    assert len(parents) == 2
    for parent in parents:
        assert conditions(parent) == {"Accepted": "True", "ResolvedRefs": "True"}


def test_a_second_up_changes_nothing(gateway: Way) -> None:
    assert gateway.again().changes() == []


def test_deleted_objects_come_back_and_the_controllers_404_says_that_it_is(gateway: Way) -> None:
    assert "X-Kindctl-Ingress" not in http("http://localhost/api/no-such-route").headers
    gateway.api.raw(ROUTE, "DELETE")
    gateway.api.raw(f"{DEFINITIONS}/grpcroutes.gateway.networking.k8s.io", "DELETE")

    def not_found() -> Any:
        answer = http("http://localhost/")
        return answer if answer.status == 404 else None

    own = until(not_found, 10, "Traefik's 404")
    assert own.headers["X-Kindctl-Ingress"] == "/"
    assert own.headers["X-Kindctl-Environment"].startswith("gateway-api.")
    assert sorted(gateway.again().changes()) == [
        "created CustomResourceDefinition grpcroutes.gateway.networking.k8s.io",
        "created HTTPRoute example/sample",
    ]
    assert http("http://localhost/").status == 200


def test_a_listener_that_no_entry_point_has_is_refused_with_its_place(gateway: Way) -> None:
    before = gateway.api.raw(GATEWAY)["metadata"]["generation"]
    gateway.replace("port: 80", "port: 8080", "k8s/gateway.yaml")
    refused = gateway.kindctl.run("up", "-f", str(gateway.folder), code=2)
    gateway.replace("port: 8080", "port: 80", "k8s/gateway.yaml")
    assert f"{gateway.folder}/k8s/gateway.yaml:11" in refused.err
    assert "does not listen on port 8080" in refused.err
    assert gateway.api.raw(GATEWAY)["metadata"]["generation"] == before


def test_what_the_controller_refuses_ends_the_wait_in_its_words(gateway: Way) -> None:
    """The Service has no such port: of that `up` only warns, a manifest may not have all of it."""
    gateway.replace("port: 3000", "port: 3001", "k8s/route.yaml")
    failed = gateway.up(code=1)
    gateway.replace("port: 3001", "port: 3000", "k8s/route.yaml")
    error = failed.error()
    gateway.note(refused_after=round(failed.seconds, 1))
    assert error["code"] == "gateway-refused"
    assert "HTTPRoute example/sample" in error["what"]
    assert "ResolvedRefs" in str(error)
    assert failed.seconds < 60
    gateway.up()
    assert http("http://localhost/").status == 200


def test_zz_the_definitions_stay_when_gateway_api_is_switched_off(gateway: Way) -> None:
    """With them everybody's routes would go: this one is the user's own."""
    mine = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "mine", "namespace": "default"},
        "spec": {"parentRefs": [{"name": "nobody"}]},
    }
    routes = f"{GATEWAY_API}/namespaces/default/httproutes"
    gateway.api.raw(routes, "POST", mine)
    gateway.replace("  gatewayAPI: true\n", "")
    gateway.replace("  - ./k8s\n", "")
    gateway.replace(
        "  - ./sample-app/k8s/frontend.yaml",
        "  - ./sample-app/k8s/frontend.yaml\n  - ./sample-app/k8s/ingress.yaml",
    )
    changes = gateway.up().changes()
    assert "removed HTTPRoute example/sample" in changes
    assert "removed GatewayClass traefik" in changes
    assert gateway.api.raw(f"{routes}/mine") is not None
    assert http("http://localhost/").status == 200
