"""`init`: a commented kindctl.yaml to start from, or one of the examples."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from kindctl.actions.examples import copy_example
from kindctl.config.load import FILE
from kindctl.errors import UsageError
from kindctl.paths import NAME_MAX, names_environment


def init(folder: Path, name: str | None = None, example: str | None = None) -> Path:
    """The path of what was written. An example keeps its own name unless another is given.

    Raises UsageError where there is one already, for an example that is not there, or where `name`
    cannot be a name."""
    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} exists", fix="edit it, or remove it first")
    if example:
        return copy_example(example, folder, _checked(name) if name else None)
    chosen = _checked(name or _as_name(folder.resolve().name))
    template = files("kindctl.config").joinpath("template.yaml").read_text()
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(template.replace("NAME", chosen))
    return path


def _checked(name: str) -> str:
    if names_environment(name):
        return name
    raise UsageError(
        f"{name!r} cannot be a name", fix=f"at most {NAME_MAX} lower-case letters, digits and '-'"
    )


def _as_name(folder: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:NAME_MAX].strip("-") or "dev"
