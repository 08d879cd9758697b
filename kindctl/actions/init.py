"""`init`: write a commented kindctl.yaml to start from, or one of the examples."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from kindctl.actions.examples import copy_example
from kindctl.config.load import FILE
from kindctl.errors import UsageError
from kindctl.paths import NAME_MAX, valid_name


def init(folder: Path, name: str | None = None, example: str | None = None) -> Path:
    """Write a kindctl.yaml and return its path. An example keeps its own name unless `name` is given.

    Raises UsageError if the file exists already, for an unknown example and for an invalid name.
    """
    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} already exists", fix="edit the file, or remove it first")
    if example:
        return copy_example(example, folder, valid_name(name) if name else None)
    chosen = valid_name(name) if name else _name_from(folder.resolve().name)
    template = files("kindctl.config").joinpath("template.yaml").read_text()
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(template.replace("NAME", chosen))
    return path


def _name_from(folder: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:NAME_MAX].strip("-") or "dev"
