"""What tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.machine import World, fit_machine


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return fit_machine(tmp_path, monkeypatch)
