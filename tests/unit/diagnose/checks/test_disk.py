"""Tests of diagnose/checks/disk.py."""

from __future__ import annotations

import pytest

from tests.support.checked_machine import GB, World


@pytest.mark.parametrize(
    ("code", "attribute", "free", "level"),
    [
        ("disk", "disk", 5.9, "failed"),
        ("disk", "disk", 6.0, "warning"),
        ("disk", "disk", 11.9, "warning"),
        ("disk", "disk", 12.0, "ok"),
        ("memory", "memory", 1.9, "failed"),
        ("memory", "memory", 2.0, "warning"),
        ("memory", "memory", 3.9, "warning"),
        ("memory", "memory", 4.0, "ok"),
    ],
)
def test_room_is_judged_by_numbers(
    world: World, code: str, attribute: str, free: float, level: str
) -> None:
    setattr(world.host, attribute, round(free * GB))
    verdict = world.verdict(code)
    assert verdict.level == level
    assert f"{free:.1f} GB" in verdict.seen


@pytest.mark.parametrize(("code", "attribute"), [("disk", "disk"), ("memory", "memory")])
def test_a_running_environment_may_be_repaired_on_a_full_machine(
    world: World, code: str, attribute: str
) -> None:
    setattr(world.host, attribute, GB)
    assert world.verdict(code).level == "failed"
    world.runs("shop-control-plane", of="shop")
    assert world.verdict(code).level == "warning"


def test_disk_and_networks_of_another_machine_are_not_judged_by_this_one(world: World) -> None:
    world.has_engine(host="ssh://builder")
    world.host.disk = 0
    assert world.verdict("disk").level == world.verdict("subnets").level == "ok"
