"""One ingress controller takes forwarded ports of this machine over from another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kindctl.components.nginx import IngressNginx
from kindctl.errors import KindctlError, ToolError
from kindctl.exposures.port_forward import PortForward
from kindctl.ingress.proof import environment_id
from kindctl.live.port_holders import PortHolders
from kindctl.models import Differs, ExposedPort, Forward, Object, Ready, Route
from kindctl.steps.forward import Forwarded
from kindctl.steps.handover.switched import Switched
from kindctl.steps.handover.takeover import ForwardTakeover
from kindctl.steps.objects import ObjectsApplied
from kindctl.tools.protocols import ApiAccess, HttpAnswer
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeProvider, Heard
from tests.fakes.forwards import FakeForwards
from tests.fakes.net import FakeNet, Request
from tests.fakes.ways import setup

ACCESS = ApiAccess(Path("none"))
OLD, NEW = ("traefik", "traefik"), ("ingress-nginx", "ingress-nginx-controller")
PORTS = {"http": 8080, "https": 8443}


def forwards_to(service: tuple[str, str]) -> list[Forward]:
    return [Forward(*service, scheme, local) for scheme, local in PORTS.items()]


def service_of_traefik(environment: str = "shop") -> Object:
    labels = {
        "app.kubernetes.io/managed-by": "kindctl",
        "kindctl.dev/environment": environment,
        "kindctl.dev/component": "traefik",
    }
    meta = {"name": OLD[1], "namespace": OLD[0], "labels": labels}
    ports = [{"name": "http", "port": 80}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}}


class World:
    """Traefik has the way in: its Service is where ports of this machine lead to."""

    def __init__(self) -> None:
        self.cluster, self.net = FakeCluster(), FakeNet()
        self.forwards = FakeForwards(self.net)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OLD[0]}}
        for obj in (namespace, service_of_traefik()):
            self.cluster.apply(obj)
        for forward in forwards_to(OLD):
            self.forwards.add("shop", ACCESS, forward, origin="file")
        self.net.handlers["127.0.0.1", PORTS["http"]] = self.answer
        self.says(b"shop")
        self.step = self.switch()

    def says(self, body: bytes) -> None:
        """The new one, asked through its own Service."""
        self.cluster.servers[NEW] = lambda port, path, host: self.right("ingress-nginx", body)

    def right(self, controller: str, body: bytes = b"shop") -> HttpAnswer:
        identity = environment_id("shop", self.cluster)
        headers = {"x-kindctl-environment": identity, "x-kindctl-controller": controller}
        return HttpAnswer(200, headers, body)

    def answer(self, request: Request) -> HttpAnswer:
        for state in self.forwards.list("shop"):
            if state.forward.local == PORTS["http"]:
                old = (state.forward.namespace, state.forward.service) == OLD
                return self.right("traefik" if old else "ingress-nginx")
        raise ToolError("connection refused")

    def switch(self) -> Switched:
        ports = [ExposedPort(scheme, *NEW, scheme, local) for scheme, local in PORTS.items()]
        settings = setup("shop", PortForward(ports))
        controller, provider = IngressNginx(settings), FakeProvider(self.cluster)
        applied = ObjectsApplied(
            name="apply",
            title="",
            needs=frozenset(),
            resolve=str,
            port_holders=PortHolders("shop", [controller]),
            component=controller,
            provider=provider,
            environment="shop",
        )
        applied.observe()
        applied.apply(Heard())
        forwarded = [
            Forwarded(
                forward=forward,
                forwards=self.forwards,
                net=self.net,
                provider=provider,
                environment="shop",
                needs=frozenset(),
            )
            for forward in controller.exposure.forwards()
        ]
        ready: Any = Pods()
        return Switched(
            controller=controller,
            takeover=ForwardTakeover(controller, settings.handover, forwarded),
            provider=provider,
            environment="shop",
            routes=[Route("http://localhost:8080/", contains="shop", connect=("127.0.0.1", 8080))],
            net=self.net,
            ready=ready,
            needs=frozenset(),
        )

    @property
    def forwarded(self) -> list[Forward]:
        return [state.forward for state in self.forwards.list("shop")]


@dataclass
class Pods:
    def observe(self) -> Ready:
        return Ready()


@pytest.fixture
def world() -> World:
    return World()


def test_the_ports_lead_to_the_new_one_before_the_old_one_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[bool] = []
    add = world.forwards.add

    def added(environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        there.append(not world.cluster.deleted)
        add(environment, access, forward, origin=origin)

    monkeypatch.setattr(world.forwards, "add", added)
    assert world.step.observe() == Differs("traefik has the entry point")
    first, *removed = world.step.apply(Heard()).done
    assert first.startswith("switched from traefik to ingress-nginx: ")
    assert removed == ["removed Service traefik/traefik"]
    assert world.forwarded == forwards_to(NEW)
    assert there == [True, True]
    assert world.step.observe() == Ready()


def test_one_that_does_not_answer_rightly_gets_no_port(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kindctl.steps.handover.switched.PROVE_SECONDS", 0.1)
    world.says(b"welcome")
    with pytest.raises(KindctlError, match="traefik, which still serves the URLs") as caught:
        world.step.apply(Heard())
    assert caught.value.code == "switch-refused"
    assert world.forwarded == forwards_to(OLD)
    assert world.cluster.deleted == []


def test_ports_that_lead_to_no_controller_are_nobodys_way_in(world: World) -> None:
    """An app's Service, one of another environment, one that is gone, none at all."""
    for place in (("shop", "web"), ("gone", "gone")):
        world.forwards.end("shop")
        for forward in forwards_to(place):
            world.forwards.add("shop", ACCESS, forward, origin="file")
        assert world.step.observe() == Ready()
    world.cluster.apply(service_of_traefik("other"))
    world.forwards.end("shop")
    for forward in forwards_to(OLD):
        world.forwards.add("shop", ACCESS, forward, origin="file")
    assert world.step.observe() == Ready()
    world.forwards.end("shop")
    assert world.step.observe() == Ready()


def test_what_a_user_forwards_by_hand_is_not_turned_over(world: World) -> None:
    world.forwards.end("shop")
    for forward in forwards_to(OLD):
        world.forwards.add("shop", ACCESS, forward, origin="command")
    assert world.step.observe() == Ready()  # the steps of the forwards name it
