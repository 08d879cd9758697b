"""What tests of this folder share."""

from __future__ import annotations

import pytest

from kindctl.diagnose.checks.inotify import LIMITS
from tests.fakes.engine import FakeEngine
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet
from tests.support.checked_machine import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    host, engine = FakeHost(), FakeEngine()
    for program in ("docker", "dockerd", "kind", "debootstrap"):
        host.programs[program] = lambda arguments, stdin, env: ""
    host.sysctls |= {name: str(value) for name, (_, value) in LIMITS.items()}
    return World(host, engine, FakeKind(engine, host), FakeNet())
