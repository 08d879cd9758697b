"""Tests of /."""

from __future__ import annotations

import threading

import pytest

from kindctl.__main__ import main


def test_a_stopped_run_does_not_wait_for_the_apply_that_it_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An interrupt in the middle of a native call once ended in SIGABRT."""
    left: list[int] = []
    over = threading.Event()
    monkeypatch.setattr("kindctl.cli.exits.run", lambda arguments: 130)
    monkeypatch.setattr("kindctl.tools.process.stop_children", lambda: None)
    monkeypatch.setattr("os._exit", left.append)
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    with pytest.raises(SystemExit):
        main()
    over.set()
    thread.join()
    assert left == [130]
