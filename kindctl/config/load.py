"""kindctl.yaml (and kindctl.local.yaml beside it) -> Config, or every problem at once with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from kindctl.config.checks import cross_checks
from kindctl.config.places import Document, Loc, dotted, read
from kindctl.config.schema import NODE_PORT_MAX, NODE_PORT_MIN, Config
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
        raise ConfigError(list(_translate(error, documents))) from error
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


def _translate(error: ValidationError, documents: list[Document]) -> Iterator[Problem]:
    for loc, item in _one_of_each_choice(error):
        where = dotted(loc)
        kind, given = item["type"], item.get("input")
        if kind == "extra_forbidden":
            close = difflib.get_close_matches(str(loc[-1]), _known_keys(loc), 1)
            hint = f"did you mean {close[0]!r}?" if close else "see `kindctl config schema`"
            yield _problem(documents, loc, f"unknown key {where!r}", hint, key=True)
        elif kind == "choice":
            yield _problem(documents, loc, f"{where}: {given!r} is not valid", item["msg"])
        elif kind == "missing":
            field_info = _field(loc)
            about = (field_info.description if field_info else "") or ""
            hint = f"{loc[-1]}: {about}"
            yield _problem(documents, loc, f"{where!r} is missing", hint)
        elif kind == "string_type" and isinstance(given, int | float):
            yield _problem(documents, loc, f"{where}: {given} is a number", f'quote it: "{given}"')
        elif kind == "string_pattern_mismatch":
            hint = "lower-case letters, digits and '-'" if loc[-1] in ("name", "namespace") else ""
            hint = hint or f"must match {item['ctx']['pattern']}"
            yield _problem(documents, loc, f"{where}: {given!r} is not valid", hint)
        elif item.get("ctx") in ({"ge": NODE_PORT_MIN}, {"le": NODE_PORT_MAX}):
            allowed = f"Kubernetes gives {NODE_PORT_MIN} to {NODE_PORT_MAX}"
            key = str(loc[-1]) if loc[-2:-1] == ("nodePorts",) else "local"
            hint = f"{allowed}; the port of this machine is `{key}`, and may be any"
            yield _problem(documents, loc, f"{where}: {given} is no node port", hint)
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            yield _problem(documents, loc, f"{where}: {message}", f"got {given!r}")


def _one_of_each_choice(error: ValidationError) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """(place, error). Where the schema allows a word or a mapping, pydantic reports a fault for each: of
    a mapping those of the mapping are meant, of anything else one that says what is allowed."""
    seen: dict[Loc, bool] = {}  # place of a choice -> whether a mapping is given there
    for item in error.errors():
        if item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]:
            continue  # only because its items are wrong, which is said of them
        loc = tuple(part for part in item["loc"] if isinstance(part, str | int))
        place, rest = _choice(loc)
        if place is None:
            yield loc, item
            continue
        if place not in seen:  # the first fault is of the word
            seen[place] = isinstance(item["input"], Mapping)
            if not seen[place]:
                field_info = _field(place)
                allowed = (field_info.description if field_info else "") or item["msg"]
                yield place, {"type": "choice", "input": item["input"], "msg": allowed}
        elif seen[place]:
            yield (*place, *rest), item


def _choice(loc: Loc) -> tuple[Loc | None, Loc]:
    """(place of the choice that the fault lies in, the way from there), without pydantic's own tag."""
    for index, part in enumerate(loc):
        if isinstance(part, str) and index and _is_tag(part):
            return loc[:index], loc[index + 1 :]
    return None, ()


def _is_tag(part: str) -> bool:
    """ "literal['kind']", "constrained-int", "str", "ExistingConfig": no key of the file looks so."""
    return (
        part in ("str", "int")
        or "[" in part
        or part.startswith("constrained-")
        or part[:1].isupper()
    )


def _field(loc: Loc) -> FieldInfo | None:
    model: Any = Config
    found: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int):
            continue
        found = model.model_fields.get(part) if model else None
        if found is None:
            return None
        model = next(_models(found.annotation), None)
    return found


def _known_keys(loc: Loc) -> list[str]:
    """The keys that the schema has where `loc`, an unknown key, stands."""
    model: Any = Config
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = next((m for m in _models(annotation)), None)
        if model is None:
            return []
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
