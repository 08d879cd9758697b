"""Loads kindctl.yaml and kindctl.local.yaml into a Config, or reports all problems with their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kindctl.config.checks import cross_checks
from kindctl.config.places import Document, read
from kindctl.config.schema_problems import schema_problems
from kindctl.errors import ConfigError, Problem
from kindctl.paths import share_dir
from kindctl.problems import FieldPath, FieldProblem
from kindctl.schema import Config

FILE = "kindctl.yaml"
LOCAL_FILE = "kindctl.local.yaml"


@dataclass(frozen=True)
class Loaded:
    """A valid configuration, and the folder that its paths are relative to."""

    config: Config
    file: Path
    root: Path
    documents: tuple[Document, ...] = field(default=(), repr=False, compare=False)

    def problem(self, path: FieldPath, message: str, hint: str = "") -> Problem:
        """Return a problem of the file, with the place of a field in it: ("apps", 0, "expose", 1)."""
        if not self.documents:
            return Problem(str(self.file), 0, 0, message, hint)
        return _placed(self.documents, FieldProblem(path, message, hint))


def find_file(start: Path) -> Path | None:
    """Return the nearest kindctl.yaml, in `start` or a folder above it; None if there is none."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def load(file: Path | None = None, *, name: str | None = None) -> Loaded:
    """Read `file`, or the kindctl.yaml in `file` if that is a folder. Without `file`, read the nearest
    kindctl.yaml, or, if none is found, the sample that ships with kindctl. `name` replaces the name in the
    file.

    Raises ConfigError with every problem of both files: unknown keys, wrong types, clashes, paths that do
    not exist.
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
        problems = list(cross_checks(config, root))
    except ValidationError as error:
        problems = list(schema_problems(error))
    if problems:
        raise ConfigError([_placed(documents, problem) for problem in problems])
    return Loaded(config, path.resolve(), root, tuple(documents))


def merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `override` merged into it: mappings key by key, while any other value is
    replaced."""
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
        message, hint = (
            "expected `key: value` at the top level",
            "the smallest file is `name: shop`",
        )
        raise ConfigError([Problem(document.file, *document.place(()), message, hint)])
    return document.data


def _placed(documents: Sequence[Document], problem: FieldProblem) -> Problem:
    """Return the problem with its file and place. If both files set the field, the place is in the
    override, because its value won. The override is the first of the documents."""
    path, message, hint, at_key = problem
    document = next((one for one in documents if one.has(path)), documents[-1])
    return Problem(document.file, *document.place(path, at_key=at_key), message, hint)
