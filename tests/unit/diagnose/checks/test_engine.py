"""Tests of diagnose/checks/engine.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kindctl.diagnose.checks import (
    is_repairable,
    load,
)
from kindctl.errors import MachineError
from tests.support.checked_machine import DOWN, MISSING, WANTS, World, without

DENIED = MachineError(
    "this user may not use the engine", fix="join the group", code="engine-denied"
)


def test_a_client_without_a_daemon_counts_as_no_engine(world: World) -> None:
    world.engine.problem = DOWN
    without(world, "dockerd")
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable) == ("engine-missing", True)
    assert "docker.io" in "\n".join(load("engine").plan(world.tools, WANTS))


def test_a_stopped_engine_is_started_not_installed(world: World) -> None:
    world.engine.problem = DOWN
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable) == ("engine-down", True)
    (sentence,) = load("engine").plan(world.tools, WANTS)
    assert sentence.startswith("start the engine")


@pytest.mark.parametrize("variable", ["DOCKER_HOST", "DOCKER_CONTEXT"])
def test_an_engine_of_the_users_choice_is_not_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "elsewhere")
    world.engine.problem = DOWN
    without(world, "dockerd")
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable, verdict.fix) == ("engine-down", False, "start it")


def test_who_may_not_ask_the_engine_is_told_how_to_be_let_in(world: World) -> None:
    world.host.root = False
    world.engine.problem = DENIED
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable, verdict.fix) == (
        "engine-denied",
        False,
        "join the group",
    )


def test_elsewhere_than_on_debian_there_are_links(world: World) -> None:
    world.host.release = {"ID": "fedora"}
    world.engine.problem = MISSING
    without(world, "docker", "dockerd")
    verdict = world.verdict("engine")
    assert not is_repairable(verdict)
    assert "docs.docker.com" in verdict.fix


@pytest.mark.parametrize(
    ("changes", "capabilities", "code", "level"),
    [
        ({"version": "19.03.15"}, "1ffffffffff", "engine-old", "failed"),
        ({"version": "20.10.24+dfsg1"}, "1fffeffffff", "engine-old", "failed"),
        ({"version": "20.10.24+dfsg1"}, "1ffffffffff", "engine", "ok"),
        ({"version": "26.1.5+dfsg1"}, "1fffeffffff", "engine", "ok"),
        ({"product": "podman", "version": "5.4.2"}, "1ffffffffff", "engine-podman", "failed"),
        ({"rootless": True, "cgroup_version": 1}, "1ffffffffff", "engine-rootless", "failed"),
        ({"rootless": True, "cgroup_version": 2}, "1ffffffffff", "engine-rootless", "warning"),
    ],
)
def test_engines_that_cannot_run_nodes_are_refused_with_a_sentence(
    world: World, changes: Mapping[str, object], capabilities: str, code: str, level: str
) -> None:
    """Without CAP_SYS_RESOURCE (bit 24) Docker 20.10 cannot start privileged containers."""
    world.host.files[Path("/proc/self/status")] = f"Name:\tx\nCapBnd:\t00000{capabilities}\n"
    world.has_engine(**changes)
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.level) == (code, level)
    assert verdict.level == "ok" or verdict.fix
    assert str(changes.get("version", "")) in verdict.seen
