"""Tests of diagnose/checks/cgroup.py."""

from __future__ import annotations

from kindctl.diagnose.base import Wants
from tests.support.checked_machine import World


def test_control_groups_v1_are_fine_and_said(world: World) -> None:
    world.has_engine(cgroup_version=1)
    verdict = world.verdict("cgroup")
    assert verdict.level == "ok"
    assert "failCgroupV1" in verdict.seen
    assert "failCgroupV1" not in world.verdict("cgroup", Wants(kubernetes="1.34")).seen
