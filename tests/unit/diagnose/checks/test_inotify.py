"""Tests of diagnose/checks/inotify.py."""

from __future__ import annotations

from kindctl.diagnose.checks import (
    is_repairable,
    load,
)
from tests.support.checked_machine import WANTS, World


def test_low_inotify_limits_are_named_with_their_numbers_and_raised(world: World) -> None:
    world.host.sysctls["fs.inotify.max_user_instances"] = "128"
    verdict = world.verdict("inotify")
    assert (verdict.level, verdict.fixable) == ("warning", True)
    assert "max_user_instances is 128, below 512" in verdict.seen
    assert "max_user_watches" not in verdict.seen
    assert "sysctl -w fs.inotify.max_user_instances=1024" in verdict.fix

    load("inotify").fix(world.tools, WANTS, lambda line: None)
    assert world.host.sysctls["fs.inotify.max_user_instances"] == "1024"
    assert world.verdict("inotify").level == "ok"


def test_only_root_is_offered_to_raise_limits(world: World) -> None:
    world.host.root = False
    world.host.sysctls["fs.inotify.max_user_watches"] = "8192"
    assert not is_repairable(world.verdict("inotify"))


def test_a_machine_without_such_limits_is_fine(world: World) -> None:
    world.host.sysctls.clear()
    assert world.verdict("inotify").level == "ok"
