"""`init`: a commented kindctl.yaml to start from."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from kindctl.config.load import FILE
from kindctl.config.schema import DNS_LABEL
from kindctl.errors import UsageError


def init(folder: Path, name: str | None = None) -> Path:
    """Raises UsageError where there is one already, or where `name` cannot be a name."""
    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} exists", fix="edit it, or remove it first")
    chosen = name or _as_name(folder.resolve().name)
    if not re.match(DNS_LABEL, chosen) or len(chosen) > 40:
        raise UsageError(
            f"{chosen!r} cannot be a name", fix="at most 40 lower-case letters, digits and '-'"
        )
    template = files("kindctl.config").joinpath("template.yaml").read_text()
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(template.replace("NAME", chosen))
    return path


def _as_name(folder: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40].strip("-") or "dev"
