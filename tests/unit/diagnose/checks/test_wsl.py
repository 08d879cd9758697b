"""Tests of diagnose/checks/wsl.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checked_machine import World


@pytest.mark.parametrize(
    ("kernel", "level", "words"),
    [
        ("Linux version 6.12.0 (debian@x)", "ok", "not WSL"),
        ("Linux version 5.15.90.1-microsoft-standard-WSL2", "ok", "WSL 2"),
        ("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)", "failed", "WSL 1"),
    ],
)
def test_wsl_1_is_refused(world: World, kernel: str, level: str, words: str) -> None:
    world.host.files[Path("/proc/version")] = kernel
    verdict = world.verdict("wsl")
    assert verdict.level == level
    assert words in verdict.seen
