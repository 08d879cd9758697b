"""Tests of diagnose/checks/subnets.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checked_machine import World


def test_the_engines_own_routes_are_no_clash(world: World) -> None:
    world.host.destinations = ("172.17.0.0/16", "192.0.2.0/24")
    assert world.verdict("subnets").level == "ok"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("172.16.0.0/12", "network bridge (172.17.0.0/16) overlaps the route to 172.16.0.0/12"),
        ("172.17.5.0/24", "network bridge (172.17.0.0/16) overlaps the route to 172.17.5.0/24"),
        ("10.96.4.0/22", "services cannot reach 10.96.4.0/22"),
        ("10.244.0.0/16", "pods cannot reach 10.244.0.0/16"),
    ],
)
def test_overlaps_are_named_on_both_sides(world: World, route: str, words: str) -> None:
    world.host.destinations = (route,)
    verdict = world.verdict("subnets")
    assert (verdict.code, verdict.level) == ("subnet-clash", "warning")
    assert words in verdict.seen


def test_a_route_as_wide_as_a_vpns_says_nothing_about_the_cluster(world: World) -> None:
    world.host.destinations = ("10.0.0.0/8",)
    assert world.verdict("subnets").level == "ok"


def test_no_pool_left_fails_unless_the_network_is_there_or_pools_are_configured(
    world: World,
) -> None:
    world.host.destinations = ("172.16.0.0/12", "192.168.0.0/16")
    verdict = world.verdict("subnets")
    assert (verdict.code, verdict.level) == ("subnet-clash", "failed")
    world.host.files[Path("/etc/docker/daemon.json")] = '{"default-address-pools": []}'
    assert world.verdict("subnets").level == "warning"
    world.host.files.clear()
    world.engine.subnets["kind"] = ("10.89.0.0/24",)
    assert world.verdict("subnets").level == "warning"
