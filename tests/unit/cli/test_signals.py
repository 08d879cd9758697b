"""Tests of cli/signals.py."""

from __future__ import annotations

import signal

import pytest

from kindctl.cli import signals
from kindctl.errors import KindctlError


def test_the_first_signal_asks_and_the_second_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals.interruptible() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_still_runs_is_ended_when_the_body_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr("kindctl.tools.process.stop_children", lambda: ended.append("all"))
    with signals.interruptible():
        pass
    assert ended == []
    with pytest.raises(KindctlError), signals.interruptible():
        raise KindctlError("failed")
    assert ended == ["all"]
