"""What tests of builds share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build context with a Dockerfile."""
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM python:3.13-slim\nCOPY src src\n")
    (folder / "src" / "main.py").write_text("print(1)\n")
    (folder / ".dockerignore").write_text("*\n!src\n**/*.log\n")
    return folder
