"""URLs of an app, from its HTTPRoutes and the Gateways that they are attached to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kindctl.config.load import load
from kindctl.manifests.http_routes import served_paths
from kindctl.manifests.routes import ServedPath
from kindctl.models import Object
from kindctl.planning.parts import parts_of
from tests import ROOT
from tests.fakes.tools import fake_tools

API = "gateway.networking.k8s.io/v1"
HTTP = {"name": "http", "protocol": "HTTP", "port": 80}
OWN = {"certificateRefs": [{"name": "mine"}]}
LOCAL = {"certificateRefs": [{"name": "localhost-tls"}]}


def https(tls: Object, **more: Any) -> Object:
    return {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls, **more}


def gateway(*listeners: Object, namespace: str = "shop", of: str = "traefik") -> Object:
    meta = {"name": "gw", "namespace": namespace}
    spec = {"gatewayClassName": of, "listeners": list(listeners)}
    return {"apiVersion": API, "kind": "Gateway", "metadata": meta, "spec": spec}


def route(*matches: Object, hosts: tuple[str, ...] = (), parent: Object | None = None) -> Object:
    spec: Object = {"parentRefs": [parent or {"name": "gw"}], "hostnames": list(hosts)}
    spec["rules"] = [{"matches": list(matches)}] if matches else [{}]
    meta = {"name": "r", "namespace": "shop"}
    return {"apiVersion": API, "kind": "HTTPRoute", "metadata": meta, "spec": spec}


def found(one: Object, *gateways: Object) -> list[ServedPath]:
    return served_paths([one], gateways or (gateway(HTTP),), ("traefik",))


def path(kind: str, value: str, **more: Any) -> Object:
    return {"path": {"type": kind, "value": value}, **more}


def test_each_kind_of_path_gives_one_that_it_matches() -> None:
    one = route(
        path("PathPrefix", "/api"),
        path("Exact", "/robots.txt"),
        path("RegularExpression", "/v[0-9]+/x"),
    )
    assert [way.path for way in found(one)] == ["/api", "/robots.txt", "/v0/x"]


def test_a_rule_without_matches_is_for_every_path() -> None:
    assert found(route()) == [ServedPath("", "/", tls=False)]


@pytest.mark.parametrize(
    "more",
    [
        {"method": "POST"},
        {"headers": [{"name": "x", "value": "y"}]},
        {"queryParams": [{"name": "x", "value": "y"}], "method": "GET"},
    ],
)
def test_paths_that_a_plain_get_does_not_match_give_no_url(more: Object) -> None:
    assert found(route(path("PathPrefix", "/a", **more))) == []
    assert found(route(path("PathPrefix", "/a", method="GET"))) != []


@pytest.mark.parametrize(
    ("listener", "hosts", "expected"),
    [
        ("", (), [""]),
        ("", ("a.localhost", "b.localhost"), ["a.localhost", "b.localhost"]),
        ("a.localhost", (), ["a.localhost"]),
        ("*.localhost", ("a.localhost", "a.example.com"), ["a.localhost"]),
        ("a.localhost", ("*.localhost",), ["a.localhost"]),
        ("a.localhost", ("b.localhost",), []),
    ],
)
def test_a_host_must_match_both_route_and_listener(
    listener: str, hosts: tuple[str, ...], expected: list[str]
) -> None:
    made = gateway({**HTTP, "hostname": listener} if listener else HTTP)
    assert [way.host for way in found(route(hosts=hosts), made)] == expected


def test_plain_http_is_preferred_to_https() -> None:
    assert [way.tls for way in found(route(), gateway(https(LOCAL), HTTP))] == [False]
    assert [way.tls for way in found(route(), gateway(https(LOCAL)))] == [True]


def test_a_certificate_of_the_app_is_not_taken_for_the_local_authoritys() -> None:
    assert [way.own_certificate for way in found(route(), gateway(https(OWN), HTTP))] == [True]
    assert [way.own_certificate for way in found(route(), gateway(https(LOCAL), HTTP))] == [False]


@pytest.mark.parametrize(
    ("parent", "number"),
    [
        ({"name": "gw", "sectionName": "https"}, 1),
        ({"name": "gw", "port": 443}, 1),
        ({"name": "gw", "sectionName": "other"}, 0),
        ({"name": "other"}, 0),
        ({"name": "gw", "namespace": "elsewhere"}, 0),
        ({"name": "gw", "kind": "Service", "group": ""}, 0),
    ],
)
def test_a_parent_is_a_listener_of_a_gateway(parent: Object, number: int) -> None:
    made = gateway(HTTP, https(LOCAL))
    taken = found(route(parent=parent), made)
    assert [way.tls for way in taken] == [True] * number


def test_gateways_of_another_class_or_closed_to_the_namespace_serve_nothing() -> None:
    elsewhere = {"name": "gw", "namespace": "infra"}
    opened = {**HTTP, "allowedRoutes": {"namespaces": {"from": "All"}}}
    assert found(route(), gateway(HTTP, of="istio")) == []
    assert found(route(parent=elsewhere), gateway(HTTP, namespace="infra")) == []
    assert found(route(parent=elsewhere), gateway(opened, namespace="infra")) != []


def test_the_example_is_reached_by_its_own_gateway_and_by_kindctls() -> None:
    parts = parts_of(load(ROOT / "configs" / "gateway-api"), fake_tools())
    urls = [(route.url, route.certified) for route in parts.routes]
    assert urls == [
        ("http://localhost/", False),
        ("http://localhost/api/healthy", False),
        ("https://localhost/api/healthy", True),
    ]


def test_without_expectations_urls_are_found_in_the_routes(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "gateway-api" / "kindctl.yaml").read_text()
    text = text[: text.index("  expect:")].replace("../../", f"{ROOT}/")
    text = text.replace("./k8s", f"{ROOT}/configs/gateway-api/k8s")
    (tmp_path / "kindctl.yaml").write_text(text)
    routes = parts_of(load(tmp_path), fake_tools()).routes
    assert [route.url for route in routes] == ["http://localhost/api", "http://localhost/"]
