"""Forwards as the commands and the plan handle them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kindctl.actions.down import down
from kindctl.actions.forwards import (
    ForwardRow,
    forward,
    forward_held,
    forward_list,
    forward_stop,
    wanted_forward,
)
from kindctl.actions.status import status
from kindctl.cli.app import app
from kindctl.config.load import load
from kindctl.diagnose.base import WantedPort, Wants
from kindctl.diagnose.checks import load as load_check
from kindctl.errors import KindctlError, MachineError, ToolError, UsageError
from kindctl.forward.client import leftover_forwards
from kindctl.models import Absent, Differs, Forward, NotReady, Ready
from kindctl.planning.plan import make_plan
from kindctl.steps.forward import Forwarded
from kindctl.tools.protocols import ApiAccess, ForwardState, HttpAnswer
from tests.fakes.component import Heard
from tests.fakes.forwards import PROCESS
from tests.fakes.tools import fake_tools
from tests.support.machine import World, fit_machine, loaded

WEB = Forward("shop", "web", 80, 8080)
ACCESS = ApiAccess(Path("none"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With an environment "shop" that has Services."""
    world = fit_machine(tmp_path, monkeypatch)
    world.up(loaded())
    cluster = world.cluster("shop")
    for space in ("shop", "blog"):
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    for space, name, ports in (
        ("shop", "web", [{"name": "http", "port": 80}]),
        ("shop", "database", [{"port": 5432}]),
        ("shop", "two", [{"name": "a", "port": 1}, {"name": "b", "port": 2}]),
        ("shop", "dns", [udp := {"name": "dns", "port": 53, "protocol": "UDP"}, {"port": 53}]),
        ("shop", "time", [udp]),
        ("blog", "twin", [{"port": 8000}]),
        ("shop", "twin", [{"port": 8000}]),
    ):
        meta = {"name": name, "namespace": space}
        spec = {"ports": ports}
        cluster.put({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    return world


# --- which one is meant --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "local", "wanted"),
    [
        ("web", 9000, Forward("shop", "web", 80, 9000)),
        ("web:http", 9000, Forward("shop", "web", 80, 9000)),
        ("svc/web:80", 9000, Forward("shop", "web", 80, 9000)),
        ("database", None, Forward("shop", "database", 5432, 5432)),
        ("two:b", 9000, Forward("shop", "two", 2, 9000)),
        ("dns:53", 9000, Forward("shop", "dns", 53, 9000)),
        ("dns", 9000, Forward("shop", "dns", 53, 9000)),
        ("blog/twin", None, Forward("blog", "twin", 8000, 8000)),
    ],
)
def test_a_service_and_its_port_are_found(
    world: World, words: str, local: int | None, wanted: Forward
) -> None:
    assert wanted_forward("shop", world.tools, words, local) == wanted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("wbe", "no Service 'wbe'"),
        ("twin", "several Services are named 'twin'"),
        ("two", "choose a port of Service two"),
        ("web:81", "Service web has no port 81"),
        ("time:53", "Service time has no port 53"),
    ],
)
def test_what_is_not_there_or_not_the_only_one_is_refused(
    world: World, words: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        wanted_forward("shop", world.tools, words, None)
    assert caught.value.what.startswith(message)


def test_without_a_local_port_a_free_one_beside_the_services_is_taken(world: World) -> None:
    world.net.listen("127.0.0.1", 80)
    assert wanted_forward("shop", world.tools, "web", None).local == 8080
    world.net.listen("127.0.0.1", 5432)
    assert wanted_forward("shop", world.tools, "database", None).local == 5433


def test_asked_for_again_it_stays_where_it_is(world: World) -> None:
    first = wanted_forward("shop", world.tools, "database", None)
    forward("shop", world.tools, first)
    assert wanted_forward("shop", world.tools, "database", None) == first


# --- the commands --------------------------------------------------------------------------------


def test_forwards_are_started_listed_and_stopped(world: World) -> None:
    assert forward("shop", world.tools, WEB) == ""
    (row,) = forward_list("shop", world.tools)
    assert row == ForwardRow(
        "127.0.0.1:8080", "shop/web:80", "command", True, "1 ready pod, 0 open"
    )
    with pytest.raises(UsageError) as caught:
        forward_stop("shop", world.tools, "9999")
    assert "8080 (shop/web:80)" in caught.value.why
    assert list(forward_stop("shop", world.tools, "web")) == [WEB]
    assert list(forward_stop("shop", world.tools, None)) == []
    assert world.forwards.process("shop") is None


def test_who_has_the_port_is_named_with_another(world: World) -> None:
    world.net.listen("127.0.0.1", 8080, "nginx", 77)
    with pytest.raises(MachineError) as caught:
        forward("shop", world.tools, WEB)
    assert caught.value.what == "127.0.0.1:8080 is taken by nginx (process 77)"
    assert "8081 instead of 8080" in caught.value.fix
    assert caught.value.code == "port-taken"


@pytest.mark.parametrize("local", [None, 9000])
def test_an_address_that_the_machine_lacks_is_refused(world: World, local: int | None) -> None:
    with pytest.raises(UsageError, match="'nonsense' is not an IP address"):
        wanted_forward("shop", world.tools, "web", local, address="nonsense")

    def asked() -> None:
        wanted = wanted_forward("shop", world.tools, "web", local, address="10.99.99.99")
        forward("shop", world.tools, wanted)

    with pytest.raises(MachineError) as refused:
        asked()
    assert refused.value.code == "port-address"


def test_another_forward_on_the_port_is_named(world: World) -> None:
    forward("shop", world.tools, WEB)
    with pytest.raises(UsageError) as caught:
        forward("shop", world.tools, Forward("shop", "database", 5432, 8080))
    assert "is already forwarded to shop/web:80" in caught.value.what


def test_a_held_one_ends_with_the_command(world: World) -> None:
    world.forwards.faults["shop/web"] = "nothing listens"
    assert list(forward_held("shop", world.tools, WEB)) == ["nothing listens"]
    assert world.forwards.list("shop") == []
    world.net.listen("127.0.0.1", 8080, "nginx", 77)
    with pytest.raises(MachineError):
        list(forward_held("shop", world.tools, WEB))


def test_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kindctl.tools.real.real_tools", lambda: world.tools)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["forward", *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "localhost:9000 to shop/web:80" in run("web", "9000")
    assert "localhost:8000 to blog/twin:8000" in run("-n", "blog", "twin")
    assert run("list").count(" yes ") == 2
    world.forwards.faults["shop/database"] = "no pod"
    assert "no connection succeeds yet: no pod" in run("start", "database")
    assert "until Ctrl-C" in (held := run("web", "9001", "--foreground"))
    assert "stopped forwarding localhost:9001" in held  # stopped from elsewhere
    assert "stopped forwarding localhost:9000 to shop/web:80" in run("stop", "9000")
    run("stop")
    assert "nothing is forwarded" in run("stop")


def test_status_shows_them_and_down_ends_them(world: World) -> None:
    forward("shop", world.tools, WEB)
    world.forwards.faults["shop/web"] = "Service shop/web has no pods"
    rows = [row for row in status("shop", world.tools) if row.kind == "forward"]
    assert [(row.name, row.ready, row.seen) for row in rows] == [
        ("127.0.0.1:8080 to shop/web:80", False, "Service shop/web has no pods")
    ]
    assert "stopped the port forwards" in down("shop", world.tools).done
    assert world.forwards.running == {}


def test_ports_that_the_environment_forwards_itself_are_not_taken(world: World) -> None:
    forward("shop", world.tools, WEB)
    wants = Wants(ports=[WantedPort("127.0.0.1", 8080)], environment="shop")
    assert load_check("ports").ask(world.tools, wants).level == "ok"
    strange = load_check("ports").ask(world.tools, Wants(ports=wants.ports, environment="other"))
    assert f"process {PROCESS}" in strange.seen


# --- the step ------------------------------------------------------------------------------------


def step(world: World, of: Forward = WEB) -> Forwarded:
    provider = world.made("steps")
    return Forwarded(
        forward=of,
        forwards=world.forwards,
        net=world.net,
        provider=provider,
        environment="shop",
        needs=frozenset(),
    )


def test_a_port_is_forwarded_until_a_connection_gets_through(world: World) -> None:
    one = step(world)
    assert isinstance(one.observe(), Absent)
    world.forwards.faults["shop/web"] = "none of the 2 pods is ready"
    assert one.apply(Heard()).done == ("forwarded localhost:8080 to shop/web:80",)
    assert one.observe() == NotReady("none of the 2 pods is ready")
    world.forwards.faults.clear()
    assert one.observe() == Ready("web-1")


def test_what_the_file_once_forwarded_gives_way_and_what_a_user_did_does_not(world: World) -> None:
    other = Forward("shop", "database", 5432, 8080)
    world.forwards.add("shop", ACCESS, other, origin="file")
    one = step(world)
    assert one.observe() == Differs("forwarded to shop/database:5432")
    one.apply(Heard())
    assert isinstance(one.observe(), Ready)
    world.forwards.end("shop")
    world.forwards.add("shop", ACCESS, other, origin="command")
    with pytest.raises(UsageError, match="already"):
        one.apply(Heard())


def test_a_supervisor_that_fails_is_an_error_of_its_own(world: World) -> None:
    def fails(*arguments: object, **more: object) -> None:
        raise ToolError("did not start", code="forward")

    world.forwards.add = fails  # type: ignore[method-assign]
    with pytest.raises(KindctlError) as caught:
        step(world).apply(Heard())
    assert caught.value.code == "forward"


def test_only_what_the_file_forwarded_is_left_over() -> None:
    mine = ForwardState(Forward("a", "b", 1, 2), "command")
    old, kept = ForwardState(Forward("a", "c", 1, 3), "file"), ForwardState(WEB, "file")
    assert leftover_forwards([mine, old, kept], [WEB]) == [old.forward]


# --- the file ------------------------------------------------------------------------------------

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""
INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"""
EXPOSE = "{service: web, via: port-forward, local: 8080}"


def test_up_forwards_what_the_file_says_and_takes_it_back(world: World) -> None:
    Path("web.yaml").write_text(SHOP)
    text = "name: shop\ncluster: {image: 'kindest/node:v1.36.4'}\ningress: {controller: none}\n"
    text += "apps: [{name: shop, manifests: [web.yaml]EXPOSE}]\n"
    world.net.serve("127.0.0.1", 8080, lambda _: HttpAnswer(200, {}, b"hello"))
    world.net.listeners.clear()
    world.up(loaded(text.replace("EXPOSE", f", expose: [{EXPOSE}]")))
    (state,) = world.forwards.list("shop")
    assert (state.forward, state.origin) == (WEB, "file")
    world.forwards.add("shop", ACCESS, Forward("shop", "database", 5432, 9000), origin="command")
    world.up(loaded(text.replace("EXPOSE", "")))
    (state,) = world.forwards.list("shop")
    assert state.forward.local == 9000


def test_the_controller_can_be_reached_by_forwards_alone(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(SHOP + INGRESS)
    (tmp_path / "kindctl.yaml").write_text(
        "name: shop\ningress: {expose: {via: port-forward, http: 8080, https: 8443}}\n"
        "apps: [{name: shop, manifests: [web.yaml]}]\n"
    )
    plan = make_plan(load(tmp_path / "kindctl.yaml"), fake_tools())
    assert plan.parts.mappings == ()
    assert [(f.port, f.local) for f in plan.parts.forwards] == [("http", 8080), ("https", 8443)]
    (url,) = [step for step in plan.steps if step.name.startswith("url:")]
    assert url.name == "url:http://localhost:8080/"
    assert {"forward:8080", "forward:8443"} <= url.needs
