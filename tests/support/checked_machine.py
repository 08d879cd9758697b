"""A machine in memory that passes every check, for tests to spoil."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kindctl.diagnose.base import WantedPort, Wants
from kindctl.diagnose.checks import (
    load,
)
from kindctl.errors import MachineError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Verdict
from kindctl.tools.protocols import Tools
from tests.fakes.container import FakeContainer
from tests.fakes.engine import INFO, FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet

GB = 10**9


WANTS = Wants(
    ports=(
        WantedPort("127.0.0.1", 80, "ingress.expose.http"),
        WantedPort("127.0.0.1", 443, "ingress.expose.https"),
    ),
    kubernetes="1.36",
    environment="shop",
)


MISSING = MachineError("no container engine", code="engine-missing")


DOWN = MachineError("the container engine does not answer", fix="start it", code="engine-down")


@dataclass
class World:
    """A machine that is fit for everything, until a test changes something."""

    host: FakeHost
    engine: FakeEngine
    kind: FakeKind
    net: FakeNet
    forwards: FakeForwards = field(default_factory=FakeForwards)

    @property
    def tools(self) -> Tools:
        return Tools(
            self.engine, self.kind, self.net, self.host, _no_cluster, forwards=self.forwards
        )

    def verdict(self, code: str, wants: Wants = WANTS) -> Verdict:
        return load(code).ask(self.tools, wants)

    def has_engine(self, **changes: object) -> None:
        self.engine.engine_info = replace(INFO, **changes)  # type: ignore[arg-type]

    def runs(self, name: str, *, of: str = "", port: int = 0, state: str = "running") -> None:
        self.engine.add_image("image")
        labels = {DOCKER_ENVIRONMENT_LABEL: of} if of else {}
        container = FakeContainer(name, "image", labels=labels)
        if port:
            container.ports["80/tcp"] = (("127.0.0.1", port),)
        self.engine.add_container(container).state = state
        if port and state == "running":
            self.net.listen("127.0.0.1", port, "docker-proxy")


def _no_cluster(*_: object) -> object:
    raise AssertionError("checks do not look into clusters")


def without(world: World, *programs: str) -> None:
    for program in programs:
        del world.host.programs[program]
