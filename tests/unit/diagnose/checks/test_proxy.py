"""Tests of diagnose/checks/proxy.py."""

from __future__ import annotations

import pytest

from tests.support.checked_machine import World


def test_a_proxy_must_leave_this_machine_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.example")
    verdict = world.verdict("proxy")
    assert verdict.level == "warning"
    assert "does not contain 127.0.0.1:" in verdict.seen
    assert "secret" not in verdict.seen
    assert "NO_PROXY=localhost,.example,127.0.0.1 " in verdict.fix

    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert world.verdict("proxy").level == "ok"
