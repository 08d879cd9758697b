"""Tests of diagnose/checks/debootstrap.py."""

from __future__ import annotations

from tests.support.checked_machine import World, without

REGISTRY = "https://registry-1.docker.io/v2/"


def test_debootstrap_is_wanted_only_where_no_registry_answers(world: World) -> None:
    without(world, "debootstrap")
    verdict = world.verdict("debootstrap")
    assert (verdict.level, verdict.fixable) == ("failed", True)

    world.engine.add_image("base", world.engine.make_image("b", {"dev.kindctl.recipe": "debian"}))
    assert world.verdict("debootstrap").level == "warning"

    world.net.reachable_urls = {REGISTRY}
    assert world.verdict("debootstrap").level == "ok"
