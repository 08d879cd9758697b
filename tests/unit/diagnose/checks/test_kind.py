"""Tests of diagnose/checks/kind.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.base import Wants
from tests.support.checked_machine import World


@pytest.mark.parametrize(
    ("kind", "kubernetes", "fits"),
    [
        ("0.33.0", "1.37.0", True),
        ("0.33.0", "1.34", True),
        ("0.33.0", "1.38", False),
        ("0.27.0", "1.32.2", True),
        ("0.27.0", "1.36", False),
        ("0.31.0", "1.35.8", True),
        ("0.31.0", "1.36", False),
        ("0.20.0", "1.27", False),
        ("0.40.0", "1.44", True),
    ],
)
def test_kind_and_kubernetes_must_fit(world: World, kind: str, kubernetes: str, fits: bool) -> None:
    world.kind.version = lambda: kind  # type: ignore[method-assign]
    verdict = world.verdict("kind", Wants(kubernetes=kubernetes))
    assert (verdict.code, verdict.level) == (("kind", "ok") if fits else ("kind-old", "failed"))
    if not fits:
        assert kind in verdict.seen
        assert kubernetes in verdict.seen


def test_the_kind_that_would_do_is_named(world: World) -> None:
    world.kind.version = lambda: "0.27.0"  # type: ignore[method-assign]
    fix = world.verdict("kind", Wants(kubernetes="1.36")).fix
    assert "kind 0.32 or later" in fix
    assert "1.32 or earlier" in fix
