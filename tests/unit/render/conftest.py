"""What tests of this folder share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def neutral_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with colours, on no CI service, whatever this run itself has."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
