"""kindctl.yaml (and kindctl.local.yaml beside it) -> Config, or every problem at once with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kindctl.config.checks import cross_checks
from kindctl.config.faults import faults
from kindctl.config.places import Document, Loc, read
from kindctl.config.schema import Config
from kindctl.errors import ConfigError, Problem
from kindctl.paths import share_dir

FILE = "kindctl.yaml"
LOCAL_FILE = "kindctl.local.yaml"


@dataclass(frozen=True)
class Loaded:
    """A valid configuration, and the folder that its paths are relative to."""

    config: Config
    file: Path
    root: Path
    documents: tuple[Document, ...] = field(default=(), repr=False, compare=False)

    def problem(self, loc: Loc, message: str, hint: str = "") -> Problem:
        """A fault of the file, with the place of `loc` in it: ("apps", 0, "expose", 1)."""
        if not self.documents:
            return Problem(str(self.file), 0, 0, message, hint)
        return _problem(self.documents, loc, message, hint)


def find_file(start: Path) -> Path | None:
    """The nearest kindctl.yaml in `start` or a folder above it."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def load(file: Path | None = None, *, name: str | None = None) -> Loaded:
    """Read `file`, else the nearest kindctl.yaml, else the sample that ships with kindctl.

    Raises ConfigError with every problem of both files: unknown keys, wrong types, clashes,
    paths that do not exist.
    """
    path = file or find_file(Path.cwd()) or share_dir("sample-app") / FILE
    path = path / FILE if path.is_dir() else path
    base = read(path)
    documents = [base]
    data = _mapping(base)
    local = path.parent / LOCAL_FILE
    if local.is_file():
        override = read(local)
        documents.insert(0, override)
        data = merge(data, _mapping(override))
    if name is not None:
        data = {**data, "name": name}
    root = path.parent.resolve()
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems = [
            _problem(documents, fault.loc, fault.message, fault.hint, key=fault.of_key)
            for fault in faults(error)
        ]
        raise ConfigError(problems) from error
    findings = [
        _problem(documents, loc, message, hint) for loc, message, hint in cross_checks(config, root)
    ]
    if findings:
        raise ConfigError(findings)
    return Loaded(config, path.resolve(), root, tuple(documents))


def merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are merged key by key; everything else is replaced."""
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _mapping(document: Document) -> dict[str, Any]:
    if document.data is None:
        return {}
    if not isinstance(document.data, dict):
        line, column = document.values[()]
        raise ConfigError(
            [
                Problem(
                    document.file,
                    line,
                    column,
                    "expected `key: value` lines at the top",
                    "the smallest file is `name: shop`",
                )
            ]
        )
    return document.data


def _problem(
    documents: Sequence[Document], loc: Loc, message: str, hint: str, *, key: bool = False
) -> Problem:
    """The place is looked for in the override first: it is what won."""
    for document in documents:
        exact = tuple(loc)
        if exact in document.values:
            place = document.place(exact, key=key)
            if place:
                return Problem(document.file, *place, message, hint)
    base = documents[-1]
    line, column = base.place(loc) or (1, 1)
    return Problem(base.file, line, column, message, hint)
