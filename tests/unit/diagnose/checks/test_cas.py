"""Tests of diagnose/checks/cas.py."""

from __future__ import annotations

from tests.support.checked_machine import World


def test_cas_of_the_network_are_listed(world: World) -> None:
    world.host.cas = {"company.crt": "PEM"}
    verdict = world.verdict("cas")
    assert verdict.level == "ok"
    assert "company.crt" in verdict.seen
