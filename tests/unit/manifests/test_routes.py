"""URLs of an app, from its Ingress objects and what is expected of them."""

from __future__ import annotations

from typing import Any

import pytest

from kindctl.exposures.host_port import HostPort
from kindctl.manifests.routes import app_routes, concrete
from kindctl.models import Object, Route
from kindctl.schema import ExpectConfig
from tests.fakes.ways import host_port

REWRITE = {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"}


def ingress(
    *paths: str,
    host: str = "",
    tls: bool = False,
    annotations: dict[str, str] | None = None,
    ingress_class: str = "nginx",
) -> Object:
    rule: dict[str, Any] = {"http": {"paths": [{"path": path} for path in paths]}}
    if host:
        rule["host"] = host
    spec: dict[str, Any] = {"ingressClassName": ingress_class, "rules": [rule]}
    if tls:
        spec["tls"] = [{"hosts": [host], "secretName": "cert"}]
    return {"metadata": {"name": "i", "annotations": annotations or {}}, "spec": spec}


def routes(
    *ingresses: Object, expect: tuple[ExpectConfig, ...] = (), exposure: HostPort | None = None
) -> list[Route]:
    endpoints = (exposure or host_port()).endpoints()
    return app_routes(
        ingresses, expect, endpoints, app="shop", namespace="shop", ingress_classes=("nginx",)
    )


def urls(found: list[Route]) -> list[str]:
    return [route.url for route in found]


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/?(.*)", "/"),
        ("/api/?(.*)", "/api/"),
        ("/api(/|$)(.*)", "/api/"),
        ("/()(frontend.*)", "/frontend"),
        ("/something(/.*)?", "/something"),
        ("/v[0-9]+/x", "/v0/x"),
        ("/(api|v1)/z", "/api/z"),
        ("(/a(b|c)|/d)/(.*)", "/ab/"),
        (r"/file\.json$", "/file.json"),
        ("/a.b", "/a.b"),
        ("^/x/(?i)(y)", "/x/y"),
        ("/(?:a|b)c", "/ac"),
        (r"/id/\d+", "/id/0"),
        ("/a{2}b*", "/aa"),
        ("/[^/]+/x", "/x/x"),
        ("/.*", "/"),
        ("", "/"),
    ],
)
def test_a_regular_expression_gives_a_path_that_it_matches(pattern: str, path: str) -> None:
    import re

    assert concrete(pattern) == path
    if pattern and "(?i)" not in pattern:
        assert re.match(pattern, path)


def test_without_expectations_each_host_and_path_is_a_route_once() -> None:
    found = routes(
        ingress("/?(.*)", "/api/?(.*)", annotations=REWRITE),
        ingress("/", "/docs/(.*)"),  # no annotation: taken as it is
    )
    assert urls(found) == [
        "http://localhost/",
        "http://localhost/api/",
        "http://localhost/docs/(.*)",
    ]
    assert found[0] == Route(url="http://localhost/", app="shop", namespace="shop")


def test_a_url_that_two_rules_lead_to_is_asked_once() -> None:
    found = routes(ingress("/"), ingress("/", host="localhost"))
    assert urls(found) == ["http://localhost/"]
    ours, theirs = (ingress("/", host="a.localhost", tls=True) for _ in range(2))
    ours["spec"]["tls"][0].pop("secretName")
    assert [route.certified for route in routes(ours)] == [True]
    for order in ((ours, theirs), (theirs, ours)):
        assert [route.certified for route in routes(*order)] == [False]


def test_the_endpoint_gives_name_port_and_where_to_connect() -> None:
    (found,) = routes(ingress("/"), exposure=host_port("127.0.0.1", 8080, 8443))
    assert (found.url, found.connect) == ("http://localhost:8080/", ("127.0.0.1", 8080))
    (found,) = routes(ingress("/"), exposure=host_port("0.0.0.0", 8080, 8443))
    assert (found.url, found.connect) == ("http://localhost:8080/", ("127.0.0.1", 8080))
    (found,) = routes(ingress("/"), exposure=host_port("192.0.2.7"))
    assert (found.url, found.connect) == ("http://192.0.2.7/", ("192.0.2.7", 80))
    (found,) = routes(ingress("/"), exposure=host_port("::1"))
    assert (found.url, found.connect) == ("http://localhost/", ("::1", 80))


def test_names_for_this_machine_do_not_lead_to_other_addresses() -> None:
    order = (ingress("/", host="shop.localhost"), ingress("/", host="localhost"))
    found = routes(*order, exposure=host_port("192.0.2.7"))
    assert [(route.url, route.host) for route in found] == [
        ("http://192.0.2.7/", "shop.localhost"),
        ("http://192.0.2.7/", "localhost"),
    ]


def test_hosts_that_lead_here_are_in_the_url_and_others_in_the_header() -> None:
    found = routes(
        ingress("/", host="shop.localhost"),
        ingress("/", host="shop.example.com"),
        ingress("/", host="*.example.com"),
        exposure=host_port(http=8080),
    )
    assert [(route.url, route.host) for route in found] == [
        ("http://shop.localhost:8080/", ""),
        ("http://localhost:8080/", "shop.example.com"),
        ("http://localhost:8080/", "any.example.com"),
    ]


@pytest.mark.parametrize(
    ("tls", "annotations", "url"),
    [
        (True, {}, "https://a.localhost/"),
        (True, {"nginx.ingress.kubernetes.io/ssl-redirect": "false"}, "http://a.localhost/"),
        (
            False,
            {"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"},
            "https://a.localhost/",
        ),
        (False, {}, "http://a.localhost/"),
    ],
)
def test_a_route_that_would_redirect_to_https_is_asked_there(
    tls: bool, annotations: dict[str, str], url: str
) -> None:
    found = routes(ingress("/", host="a.localhost", tls=tls, annotations=annotations))
    assert urls(found) == [url]
    assert found[0].connect[1] == (443 if url.startswith("https") else 80)


def test_expectations_take_host_and_scheme_from_the_ingress() -> None:
    expect = (
        ExpectConfig(path="/", contains="<title>", status=200),
        ExpectConfig(path="/api/healthy", status=204),
        ExpectConfig(path="/x", host="b.localhost"),
    )
    found = routes(
        ingress("/", host="a.localhost", tls=True), ingress("/", host="b.localhost"), expect=expect
    )
    assert urls(found) == [
        "https://a.localhost/",
        "https://a.localhost/api/healthy",
        "http://b.localhost/x",
    ]
    assert (found[0].contains, found[0].status) == ("<title>", 200)
    assert (found[1].contains, found[1].status) == ("", 204)


def test_a_rule_for_any_host_is_preferred_for_expectations() -> None:
    found = routes(
        ingress("/", host="a.localhost"), ingress("/"), expect=(ExpectConfig(path="/x"),)
    )
    assert urls(found) == ["http://localhost/x"]


def test_ingresses_of_another_class_are_not_ours() -> None:
    old = ingress("/old", annotations={"kubernetes.io/ingress.class": "alb"})
    del old["spec"]["ingressClassName"]
    no_class = ingress("/none")
    del no_class["spec"]["ingressClassName"]
    found = routes(ingress("/alb", ingress_class="alb"), old, no_class)
    assert urls(found) == ["http://localhost/none"]


def test_a_default_backend_alone_answers_at_the_root() -> None:
    only = {"metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s"}}}}
    assert urls(routes(only)) == ["http://localhost/"]


def test_without_endpoints_there_is_no_route() -> None:
    assert (
        app_routes([ingress("/")], [], [], app="a", namespace="a", ingress_classes=("nginx",)) == []
    )
    assert routes() == []
    assert urls(routes(expect=(ExpectConfig(path="/"),))) == ["http://localhost/"]


# --- certificates --------------------------------------------------------------------------------


def test_an_expected_scheme_wins_over_the_ingress() -> None:
    plain, encrypted = ingress("/"), ingress("/", host="shop.localhost", tls=True)
    (found,) = routes(plain, expect=(ExpectConfig(path="/", scheme="https"),))
    assert found == Route("https://localhost/", connect=("127.0.0.1", 443), app="shop",
                          namespace="shop", certified=True)  # fmt: skip
    wanted = ExpectConfig(path="/", host="shop.localhost", scheme="http", status=308)
    (found,) = routes(encrypted, expect=(wanted,))
    assert (found.url, found.status, found.certified) == ("http://shop.localhost/", 308, False)


def test_tls_without_a_secret_of_the_apps_own_means_the_local_authority() -> None:
    bare = ingress("/", host="shop.localhost", tls=True)
    del bare["spec"]["tls"][0]["secretName"]
    ours = ingress("/", host="shop.localhost", tls=True)
    ours["spec"]["tls"][0]["secretName"] = "localhost-tls"
    theirs = ingress("/", host="shop.localhost", tls=True)
    assert [routes(one)[0].certified for one in (bare, ours, theirs)] == [True, True, False]
    for one, certified in ((bare, True), (theirs, False)):
        (found,) = routes(one, expect=(ExpectConfig(path="/", host="shop.localhost"),))
        assert (found.url, found.certified) == ("https://shop.localhost/", certified)


def test_a_host_that_is_not_this_machines_is_asked_for_under_the_name_that_is() -> None:
    wanted = ExpectConfig(path="/", host="shop.example.com", scheme="https")
    (found,) = routes(ingress("/", host="shop.example.com"), expect=(wanted,))
    assert (found.url, found.host) == ("https://localhost/", "shop.example.com")
    assert found.certified


def test_an_address_that_the_authority_may_not_sign_for_is_not_verified() -> None:
    (found,) = routes(
        ingress("/"),
        expect=(ExpectConfig(path="/", scheme="https"),),
        exposure=host_port("192.0.2.7"),
    )
    assert (found.url, found.certified) == ("https://192.0.2.7/", False)
