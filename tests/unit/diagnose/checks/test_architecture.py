"""Tests of diagnose/checks/architecture.py."""

from __future__ import annotations

from tests.support.checked_machine import World


def test_processors_without_node_images_are_refused(world: World) -> None:
    world.has_engine(architecture="arm64")
    assert world.verdict("architecture").level == "ok"
    world.has_engine(architecture="riscv64")
    verdict = world.verdict("architecture")
    assert verdict.level == "failed"
    assert "riscv64" in verdict.seen
