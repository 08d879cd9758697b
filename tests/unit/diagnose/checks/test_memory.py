"""Tests of diagnose/checks/memory.py."""

from __future__ import annotations

from tests.support.checked_machine import GB, World


def test_the_memory_of_an_engine_in_a_virtual_machine_counts(world: World) -> None:
    world.has_engine(memory=3 * GB)
    verdict = world.verdict("memory")
    assert verdict.level == "warning"
    assert "engine has 3.0 GB" in verdict.seen
