"""A URL holds when this environment answers it rightly, and no other way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kindctl.components.base import Component
from kindctl.components.nginx import IngressNginx
from kindctl.errors import ApiError, UsageError
from kindctl.exposures import load_exposure
from kindctl.ingress.proof import environment_id
from kindctl.models import Absent, Differs, NotReady, PortMapping, Ready, Route, State
from kindctl.steps.proven import Proven
from kindctl.steps.url import UrlAnswers
from kindctl.tools.protocols import HttpAnswer
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeProvider, Heard
from tests.fakes.net import FakeNet, Request
from tests.fakes.ways import host_port, ports, setup

ROUTE = Route(url="http://localhost/", app="shop", namespace="shop")
NGINX_503 = (
    b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    b"<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>"
)


class World:
    """A host whose port 80 answers as a test says, and the cluster behind it."""

    def __init__(self) -> None:
        self.net = FakeNet()
        self.cluster = FakeCluster()
        self.identity = environment_id("shop", self.cluster)
        self.requests: list[Request] = []

    def answers(
        self, status: int, body: bytes = b"", *, ingress: str = "shop/web", identity: str = ""
    ) -> None:
        headers = {
            "X-Kindctl-Environment": identity or self.identity,
            "X-Kindctl-Ingress": ingress,
        }
        self.serves(HttpAnswer(status, headers, body))

    def serves(self, answer: HttpAnswer) -> None:
        def handler(request: Request) -> HttpAnswer:
            self.requests.append(request)
            return answer

        self.net.serve("127.0.0.1", 80, handler)

    def look(self, route: Route = ROUTE, cluster: FakeCluster | None = None) -> State:
        return self.step(route, cluster).observe()

    def step(self, route: Route = ROUTE, cluster: FakeCluster | None = None) -> UrlAnswers:
        found = cluster or self.cluster
        return UrlAnswers(
            route=route,
            net=self.net,
            cluster=lambda: found,
            environment="shop",
            needs=frozenset({"ready"}),
        )


@pytest.fixture
def world() -> World:
    return World()


def seen(state: State) -> str:
    assert isinstance(state, NotReady)
    return state.seen


def test_an_answer_of_this_environment_holds(world: World) -> None:
    world.answers(200)
    assert world.look() == Ready("200 OK")


def test_an_apps_own_404_is_an_answer_but_the_controllers_is_not(world: World) -> None:
    world.answers(404, b"no such page")
    assert world.look() == Ready("404 Not Found: no such page")
    world.answers(404, b"<title>404 Not Found</title><hr><center>nginx</center>", ingress="/")
    assert seen(world.look()) == "404 Not Found (nginx): the controller has no Ingress for this URL"


def test_whatever_else_listens_on_the_port_does_not_pass(world: World) -> None:
    world.serves(HttpAnswer(200, {"Server": "Apache/2.4"}, b"It works!"))
    expected = "port 80 is answered by Apache/2.4, not by this environment: 200 OK"
    assert seen(world.look(replace(ROUTE, contains="It works!", status=200))) == expected
    world.serves(HttpAnswer(200, {}, b""))
    assert seen(world.look()) == "port 80 is answered, not by this environment: 200 OK"


def test_another_environment_does_not_pass_nor_one_of_the_same_name(world: World) -> None:
    world.answers(200, identity="other.123456789abc")
    assert seen(world.look()) == "port 80 is answered by another environment, other"
    world.answers(200, identity="shop.123456789abc")
    assert seen(world.look()) == "port 80 is answered by another environment, shop"


def test_without_expectations_an_error_of_the_server_is_not_an_answer(world: World) -> None:
    world.answers(503, NGINX_503)
    assert seen(world.look()) == "503 Service Temporarily Unavailable (nginx)"
    world.answers(500, b"Traceback\nline two")
    assert seen(world.look()) == "500 Internal Server Error: Traceback"


def test_the_expected_text_must_be_there_in_an_answer_that_is_no_error(world: World) -> None:
    route = replace(ROUTE, contains="<title>Shop")
    world.answers(200, b"<title>Shop</title>")
    assert world.look(route) == Ready("200 OK")
    world.answers(200, b"<title>Other</title>")
    assert seen(world.look(route)) == "200 OK, without '<title>Shop'"
    world.answers(404, b"<title>Shop</title>")
    assert seen(world.look(route)) == "404 Not Found: Shop"


def test_the_expected_status_must_be_exact(world: World) -> None:
    world.answers(201)
    assert world.look(replace(ROUTE, status=201)) == Ready("201 Created")
    assert seen(world.look(replace(ROUTE, status=200))) == "201 Created, not 200"
    world.answers(500, b"<h1>teapot</h1>")
    wanted = replace(ROUTE, status=500, contains="teapot")
    assert world.look(wanted) == Ready("500 Internal Server Error")


def test_the_request_is_the_users_own(world: World) -> None:
    world.answers(200)
    route = Route(
        url="http://shop.localhost/a/b?c=d", connect=("127.0.0.1", 80), host="shop.example.com"
    )
    assert isinstance(world.look(route), Ready)
    assert [(r.path, r.host) for r in world.requests] == [("/a/b?c=d", "shop.example.com")]


def test_nothing_that_answers_is_what_was_seen(world: World) -> None:
    assert seen(world.look()) == "Connection refused"


def test_without_a_cluster_there_is_nothing_to_ask(world: World) -> None:
    step = replace(world.step(), cluster=lambda: None)
    assert step.observe() == Absent("no cluster")
    world.answers(200)
    assert "did not answer" in seen(world.look(cluster=FakeCluster(down=True)))


def test_names_and_titles_tell_routes_apart(world: World) -> None:
    plain, other = world.step(), world.step(replace(ROUTE, host="a.example.com"))
    assert (plain.name, plain.title) == ("url:http://localhost/", "http://localhost/ answers")
    assert other.name != plain.name
    assert other.title == "http://localhost/ (Host: a.example.com) answers"


# --- the way in ----------------------------------------------------------------------------------


def test_host_ports_map_the_hosts_ports_to_the_pods_own() -> None:
    exposure = load_exposure("host-port")(ports(8080, 8443, 80, 443), address="127.0.0.1")
    assert exposure.mappings() == (
        PortMapping(8080, 80, "127.0.0.1"),
        PortMapping(8443, 443, "127.0.0.1"),
    )
    assert [e.url for e in exposure.endpoints()] == [
        "http://localhost:8080",
        "https://localhost:8443",
    ]
    mapped = {mapping.node_port for mapping in exposure.mappings()}
    assert mapped == set(IngressNginx(setup("shop")).host_ports)
    with pytest.raises(UsageError, match="no exposure 'tunnel'"):
        load_exposure("tunnel")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::1", "localhost"),
        ("127.0.0.2", "127.0.0.2"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "[2001:db8::7]"),
    ],
)
def test_the_name_in_urls_leads_to_the_bound_address(address: str, host: str) -> None:
    assert [e.host for e in host_port(address).endpoints()] == [host, host]


# --- proven --------------------------------------------------------------------------------------


class Doubtful(IngressNginx):
    def __init__(self, *words: str | ApiError) -> None:
        super().__init__(setup("shop"))
        self.words = list(words)

    def prove(self, cluster: object) -> str:
        word = self.words.pop(0)
        if isinstance(word, ApiError):
            raise word
        return word


def proven(component: Component, cluster: FakeCluster | None) -> Proven:
    return Proven(component=component, provider=FakeProvider(cluster), needs=frozenset({"late"}))


def test_a_component_is_proven_when_it_has_nothing_more_to_say() -> None:
    component: Component = Doubtful("not called", ApiError("refused", status=500), "")
    cluster = FakeCluster()
    step = proven(component, cluster)
    assert step.observe() == NotReady("not called")
    assert step.observe() == NotReady("refused")
    assert step.observe() == Ready()
    assert proven(component, None).observe() == Absent("no cluster")
    assert step.name == "proven:ingress-nginx"


def test_a_503_that_stays_makes_the_controller_look_again(world: World) -> None:
    """ingress-nginx drops an event that comes while it syncs, and answers 503 until the next one."""
    now = [0.0]
    asked: list[str] = []
    step = replace(world.step(), clock=lambda: now[0], resync=lambda _: asked.append("controller"))
    world.answers(503, NGINX_503)
    assert isinstance(step.observe(), NotReady)
    now[0] = 4.9
    assert isinstance(step.observe(), NotReady)
    now[0] = 5.0
    assert isinstance(step.observe(), Differs)
    assert step.apply(Heard())
    assert asked == ["controller"]
    assert isinstance(step.observe(), NotReady)


def test_another_answer_between_two_503_starts_the_count_again(world: World) -> None:
    now = [0.0]
    step = replace(world.step(), clock=lambda: now[0], resync=lambda _: None)
    world.answers(503, NGINX_503)
    step.observe()
    now[0] = 3.0
    world.answers(502)
    step.observe()
    now[0] = 6.0
    world.answers(503, NGINX_503)
    assert isinstance(step.observe(), NotReady)


# --- TLS -----------------------------------------------------------------------------------------


def certified(world: World, serves: str, ca: str | None) -> UrlAnswers:
    route = replace(ROUTE, url="https://localhost/", connect=("127.0.0.1", 443), certified=True)
    world.answers(200)
    world.net.serve("127.0.0.1", 443, world.net.handlers["127.0.0.1", 80])
    world.net.certificates["127.0.0.1", 443] = serves
    return replace(world.step(route), ca=lambda: ca)


def test_a_certificate_of_the_local_authority_is_wanted() -> None:
    world = World()
    assert certified(world, "ours", "ours").observe() == Ready("200 OK")


def test_another_certificate_is_a_reason_not_to_print_the_url() -> None:
    world = World()
    state = certified(world, "fake", "ours").observe()
    assert isinstance(state, NotReady)
    assert "certificate is not valid" in state.seen
    assert state.cause
    assert state.cause.code == "certificate"
    assert not state.cause.permanent  # a controller serves a fake one until it has read the Secret
    assert world.requests == []


def test_without_an_authority_nothing_is_asked() -> None:
    world = World()
    assert certified(world, "ours", None).observe() == NotReady(
        "there is no local certificate authority yet"
    )
    assert world.requests == []


def test_a_route_with_a_certificate_of_its_own_is_not_verified() -> None:
    world = World()
    step = certified(world, "theirs", "ours")
    step.route = replace(step.route, certified=False)
    assert step.observe() == Ready("200 OK")


# --- after a repair ------------------------------------------------------------------------------


def test_after_a_repair_an_answer_counts_when_the_controller_must_have_heard(world: World) -> None:
    """It answers by what it knew before, and 503 a moment later."""
    now = 100.0
    world.answers(200)
    step = replace(world.step(), mended=lambda: 98.0, clock=lambda: now)
    assert seen(step.observe()) == "200 OK; the controller may not have seen the repair yet"
    now = 102.0
    assert step.observe() == Ready("200 OK")


def test_a_way_without_a_controller_has_nobody_to_hear_of_it(world: World) -> None:
    world.answers(200)
    direct = replace(ROUTE, via_controller=False)
    assert replace(world.step(direct), mended=lambda: 98.0, clock=lambda: 99.0).observe() == Ready(
        "200 OK"
    )
