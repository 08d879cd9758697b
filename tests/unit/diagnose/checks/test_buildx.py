"""Tests of diagnose/checks/buildx.py."""

from __future__ import annotations

from kindctl.diagnose.checks import (
    load,
)
from tests.support.checked_machine import MISSING, WANTS, World


def test_a_client_without_buildx_gets_the_plugin(world: World) -> None:
    world.engine.builder = ""
    verdict = world.verdict("buildx")
    assert (verdict.code, verdict.level, verdict.fixable) == ("buildx-missing", "failed", True)
    assert "is not a docker command" in verdict.seen
    assert "docker-buildx" in "\n".join(load("buildx").plan(world.tools, WANTS))


def test_buildx_cannot_be_asked_without_a_client(world: World) -> None:
    world.engine.problem = MISSING
    assert world.verdict("buildx").blocked_by == "engine"
