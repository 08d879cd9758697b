"""`config validate`: the file and the manifests that it names, without an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kindctl.config.load import load
from kindctl.planning.parts import parts_of
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class Validated:
    file: Path
    warnings: tuple[str, ...]


def validate(file: Path | None, tools: Tools) -> Validated:
    """Raises ConfigError with every problem."""
    loaded = load(file)
    return Validated(loaded.file, parts_of(loaded, tools).warnings)
