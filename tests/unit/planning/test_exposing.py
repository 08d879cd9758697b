"""Ways to a Service beside the controller, and addresses that only the cluster knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.config.load import load
from kindctl.errors import ConfigError
from kindctl.live.addresses import located, urls_of
from kindctl.manifests.routes import service_routes
from kindctl.models import EXTERNAL, Endpoint, Forward, Object, Route
from kindctl.planning.exposing import scheme_of
from kindctl.planning.parts import Parts, parts_of
from kindctl.schema import ExpectConfig
from tests.fakes.cluster import FakeCluster
from tests.fakes.tools import fake_tools

OUTSIDE = Endpoint("http", EXTERNAL, 8080, EXTERNAL, external="shop/web")


def service(address: dict[str, str] | None) -> dict[str, object]:
    ingress = {"ingress": [address]} if address else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 8080}]},
        "status": {"loadBalancer": ingress},
    }


def having(obj: dict[str, object]) -> FakeCluster:
    cluster = FakeCluster()
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.put(obj)
    return cluster


def route() -> Route:
    (found,) = service_routes([OUTSIDE], ExpectConfig(path="/x", contains="hello"), app="shop")
    return found


@pytest.mark.parametrize(
    ("address", "url", "connect"),
    [
        ({"ip": "172.18.9.1"}, "http://172.18.9.1:8080/x", ("172.18.9.1", 8080)),
        ({"ip": "fd00::9"}, "http://[fd00::9]:8080/x", ("fd00::9", 8080)),
        ({"hostname": "lb.example.com"}, "http://lb.example.com:8080/x", ("lb.example.com", 8080)),
    ],
)
def test_an_external_address_is_asked_of_the_service(
    address: dict[str, str], url: str, connect: tuple[str, int]
) -> None:
    cluster = having(service(address))
    found = located(route(), cluster)
    assert found is not None
    assert (found.url, found.connect, found.contains) == (url, connect, "hello")
    assert urls_of(cluster, [route()]) == [url]


def test_without_an_address_there_is_nowhere_to_ask() -> None:
    assert located(route(), having(service(None))) is None
    assert located(route(), FakeCluster()) is None
    assert urls_of(FakeCluster(), [route()]) == ["http://EXTERNAL-IP:8080/x"]
    assert urls_of(None, [route()]) == ["http://EXTERNAL-IP:8080/x"]


def test_a_name_that_has_to_be_asked_for_stands_beside_its_url() -> None:
    named = Route("http://localhost/", host="shop.example.com")
    assert urls_of(None, [named]) == ["http://localhost/ (Host: shop.example.com)"]


def test_a_route_with_an_address_is_located_already() -> None:
    known = Route("http://localhost/")
    assert located(known, None) is known


def test_a_port_that_speaks_no_http_has_no_path() -> None:
    (found,) = service_routes([Endpoint("tcp", "127.0.0.1", 15432)], None, app="shop")
    assert (found.url, found.via_controller) == ("tcp://localhost:15432", False)


@pytest.mark.parametrize(
    ("port", "scheme"),
    [
        ({"port": 1, "appProtocol": "https"}, "https"),
        ({"port": 1, "name": "http-web"}, "http"),
        ({"port": 443}, "https"),
        ({"port": 3000}, "http"),
        ({"port": 5432, "name": "postgres"}, "tcp"),
    ],
)
def test_what_a_port_speaks(port: dict[str, object], scheme: str) -> None:
    assert scheme_of(port) == scheme


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: a, port: 80}, {name: b, port: 81}]}
"""

CONFIG_MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "{service: wbe, port: 80, via: node-port}",
            "no manifest of the app defines Service 'wbe'",
        ),
        ("{service: web, via: node-port}", "Service 'web' has 2 ports"),
        ("{service: web, port: 82, via: node-port}", "Service 'web' has no port 82"),
    ],
)
def test_a_service_or_port_that_no_manifest_has_is_refused(
    tmp_path: Path, entry: str, message: str
) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    (tmp_path / "kindctl.yaml").write_text(
        f"name: shop\napps:\n- {{name: shop, manifests: [web.yaml], expose: [{entry}]}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        parts_of(load(tmp_path / "kindctl.yaml"), fake_tools())
    (problem,) = caught.value.problems
    assert message in problem.message
    assert (problem.file, problem.line) == (str(tmp_path / "kindctl.yaml"), 3)
    assert problem.column > 40  # of the entry


@pytest.mark.parametrize(
    ("own", "other", "message", "hint"),
    [
        (
            SERVICE + "---" + SERVICE.replace("name: web", "name: web, namespace: blue"),
            CONFIG_MAP,
            "the app has a Service 'web' in namespaces blue and shop",
            "rename one of the two Services, or move it to another app",
        ),
        (
            CONFIG_MAP,
            SERVICE,
            "no manifest of the app defines Service 'web'",
            "app 'blog' defines the Service: expose it in that app",
        ),
        (
            CONFIG_MAP,
            CONFIG_MAP,
            "no manifest of the app defines Service 'web'",
            "the app has no Services",
        ),
        (
            SERVICE.replace("name: web", "name: database"),
            CONFIG_MAP,
            "no manifest of the app defines Service 'web'",
            "the app's Services: database",
        ),
    ],
)
def test_a_service_is_told_where_it_is(
    tmp_path: Path, own: str, other: str, message: str, hint: str
) -> None:
    (tmp_path / "shop.yaml").write_text(own)
    (tmp_path / "blog.yaml").write_text(other)
    (tmp_path / "kindctl.yaml").write_text(
        "name: shop\napps:\n- {name: blog, manifests: [blog.yaml]}\n"
        "- {name: shop, manifests: [shop.yaml],\n"
        "expose: [{service: web, port: 80, via: port-forward}]}\n"
    )
    with pytest.raises(ConfigError) as caught:
        parts_of(load(tmp_path / "kindctl.yaml"), fake_tools())
    (problem,) = caught.value.problems
    assert (problem.line, problem.message, problem.hint) == (5, message, hint)


# --- exposures -----------------------------------------------------------------------------------


def balanced(folder: Path, more: str = "", provider: str = "kind") -> Parts:
    (folder / "web.yaml").write_text(SERVICE)
    (folder / "kindctl.yaml").write_text(
        f"name: shop\ncluster: {{provider: {provider}}}\n"
        + ("addons: [metallb]\n" if provider == "kind" else "")
        + "ingress: {controller: none}\n"
        "apps: [{name: a, manifests: [web.yaml], "
        f"expose: [{{service: web, port: 80, via: load-balancer{more}}}]}}]\n"
    )
    return parts_of(load(folder / "kindctl.yaml"), fake_tools())


def test_a_port_of_this_machine_leads_there_too_where_the_file_names_one(tmp_path: Path) -> None:
    parts = balanced(tmp_path, ", local: 18080")
    assert [route.url for route in parts.routes] == [
        "http://EXTERNAL-IP/",
        "http://localhost:18080/",
    ]
    assert [route.external for route in parts.routes] == ["a/web", ""]
    assert parts.forwards == (Forward("a", "web", 80, 18080),)
    assert parts.mappings == ()


def test_where_nodes_are_not_reached_localhost_is_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    parts = balanced(tmp_path)
    assert [route.url for route in parts.routes] == ["http://localhost:8080/"]
    assert parts.forwards == (Forward("a", "web", 80, 8080),)
    ((_, way),) = parts.exposures
    service: Object = {"spec": {"ports": [{"port": 80}]}}
    way.shape(service)
    assert service["spec"]["type"] == "LoadBalancer"


def test_the_addresses_of_a_cloud_are_reached_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    parts = balanced(tmp_path, provider="{existing: cloud}")
    assert [route.url for route in parts.routes] == ["http://EXTERNAL-IP/"]
    assert parts.forwards == ()


def test_a_controller_is_forwarded_to_where_nodes_are_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Windows")
    (tmp_path / "kindctl.yaml").write_text(
        "name: shop\naddons: [metallb]\ningress: {expose: {via: load-balancer}}\n"
    )
    parts = parts_of(load(tmp_path / "kindctl.yaml"), fake_tools())
    assert [(forward.port, forward.local) for forward in parts.forwards] == [
        ("http", 8080),
        ("https", 8443),
    ]
    assert [wanted.key for wanted in parts.ports] == ["", ""]  # no key changes them


def exposing(folder: Path, way: str) -> Parts:
    (folder / "web.yaml").write_text(SERVICE.replace("name: a, port: 80", "name: a, port: 5432"))
    (folder / "kindctl.yaml").write_text(
        "name: shop\ningress: {controller: none}\napps:\n- name: shop\n  manifests: [web.yaml]\n"
        f"  expose:\n  - {{service: web, {way}}}\n"
    )
    return parts_of(load(folder / "kindctl.yaml"), fake_tools())


@pytest.mark.parametrize(
    ("more", "way", "message"),
    [
        ("", ", address: 0.0.0.0", "`address` has no effect with `via: load-balancer` unless"),
        (
            "loadBalancerClass: cloud.example/lb, ",
            "",
            "no load balancer serves the loadBalancerClass",
        ),
    ],
)
def test_what_an_external_address_cannot_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, way: str, message: str
) -> None:
    changed = SERVICE.replace("spec: {", f"spec: {{{more}")
    monkeypatch.setitem(globals(), "SERVICE", changed)
    with pytest.raises(ConfigError) as caught:
        balanced(tmp_path, way)
    (problem,) = caught.value.problems
    assert problem.message.startswith(message)
    if more:
        assert "web.yaml:" in problem.hint
        assert balanced(tmp_path, way, provider="{existing: cloud}").routes


def test_a_host_that_is_expected_is_asked_for(tmp_path: Path) -> None:
    way = "port: b, scheme: http, via: port-forward, expect: {host: shop.example.com, path: /x}"
    (route,) = exposing(tmp_path, way).routes
    assert (route.url, route.host) == ("http://localhost:81/x", "shop.example.com")


@pytest.mark.parametrize(
    ("way", "message", "hint"),
    [
        (
            "port: 5432, via: port-forward, expect: {contains: ready}",
            "`expect` is for HTTP, but port 5432 of Service 'web' speaks tcp",
            "set `scheme: http` beside `via`, or remove `expect`",
        ),
        (
            "port: 81, scheme: http, via: port-forward, expect: {scheme: https}",
            "port 81 of Service 'web' speaks http",
            "set `scheme: https` beside `via`, not in `expect`",
        ),
    ],
)
def test_what_cannot_be_expected_is_refused(
    tmp_path: Path, way: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        exposing(tmp_path, way)
    (problem,) = caught.value.problems
    assert (problem.line, problem.message, problem.hint) == (7, message, hint)
    assert problem.column > 50  # of what is expected


def test_of_two_ports_of_one_number_the_one_for_tcp_is_meant(tmp_path: Path) -> None:
    both = "{name: udp, port: 53, protocol: UDP}, {name: tcp, port: 53, protocol: TCP}"
    text = SERVICE.replace("{name: a, port: 80}, {name: b, port: 81}", both)
    (tmp_path / "web.yaml").write_text(text)
    (tmp_path / "kindctl.yaml").write_text(
        "name: shop\ningress: {controller: none}\napps: [{name: a, manifests: [web.yaml], "
        "expose: [{service: web, port: 53, via: node-port, nodePort: 30053}]}]\n"
    )
    parts = parts_of(load(tmp_path / "kindctl.yaml"), fake_tools())
    assert [route.url for route in parts.routes] == ["tcp://localhost:30053"]
    (app,) = parts.components
    service = next(o for o in app.objects(FakeCluster(), str) if o["kind"] == "Service")
    assert [port.get("nodePort") for port in service["spec"]["ports"]] == [None, 30053]


@pytest.mark.parametrize(
    ("more", "message", "hint"),
    [
        (
            "ingress: {expose: {via: load-balancer}}",
            "`via: load-balancer` needs a load balancer, and kind has none",
            "addons: [metallb]",
        ),
        (
            "apps: [{name: a, manifests: [web.yaml], expose: [{service: web, via: load-balancer}]}]",
            "`via: load-balancer` needs a load balancer, and kind has none",
            "addons: [metallb]",
        ),
        (
            "addons: [metallb]\napps: [{name: a, manifests: [web.yaml], expose: "
            "[{service: web, port: 80, via: load-balancer}, {service: web, port: 81, via: node-port}]}]",
            "Service 'web' is already exposed via load-balancer",
            "a second Service",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    tmp_path: Path, more: str, message: str, hint: str
) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    (tmp_path / "kindctl.yaml").write_text(f"name: shop\n{more}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "kindctl.yaml")
    (problem,) = caught.value.problems
    assert problem.message == message
    assert hint in problem.hint
    assert problem.column > 20  # of the word, not of the block
