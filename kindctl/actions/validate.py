"""`config validate`: check the file and the manifests that it names, without an engine."""

from __future__ import annotations

from pathlib import Path

from kindctl.config.load import load
from kindctl.planning.parts import parts_of
from kindctl.tools.protocols import Tools


def validate(file: Path | None, tools: Tools) -> tuple[Path, tuple[str, ...]]:
    """Return the file that was checked, and its warnings. Raises ConfigError with every problem."""
    loaded = load(file)
    return loaded.file, parts_of(loaded, tools).warnings
