"""Tests of actions/version.py."""

from __future__ import annotations

from kindctl.actions.version import versions
from tests.support.action_helpers import MISSING
from tests.support.machine import World


def test_version_says_what_is_missing(world: World) -> None:
    assert versions(world.tools)["kind"] == "0.33.0"
    assert versions(world.tools)["engine"] == "docker 28.2.2"
    world.engine.problem, world.kind.installed = MISSING, False
    assert versions(world.tools)["engine"] == "(no container engine)"
    assert versions(world.tools)["kind"] == "(`kind` is not installed)"
