"""Explains in plain words what pydantic finds wrong in kindctl.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from kindctl.problems import FieldPath, FieldProblem, did_you_mean, dotted
from kindctl.schema import NODE_PORT_MAX, NODE_PORT_MIN, Config

EXPECTED = {
    "tuple_type": "a list",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
}
"""pydantic's type of an error -> what the value must be."""

BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}

Words = tuple[str, str]
"""(message, hint)"""


def schema_problems(error: ValidationError) -> Iterator[FieldProblem]:
    """Yield each error that pydantic reports, once, as a problem of the file."""
    for path, item in _one_of_each_choice(error):
        kind, value, context = item["type"], item.get("input"), item.get("ctx") or {}
        words = _of_key(path, kind) or _of_value(path, kind, value, context) or _other(path, item)
        yield FieldProblem(path, *words, at_key=kind in ("extra_forbidden", "invalid_key"))


def _of_key(path: FieldPath, kind: str) -> Words | None:
    where = dotted(path)
    if kind == "missing":
        return f"{where!r} is missing", f"add `{path[-1]}`: {_description(path)}"
    if kind == "invalid_key":
        return f"{where}: keys must be strings", f'quote it: "{path[-1]}"'
    if kind == "extra_forbidden":
        model = _model(path[:-1])
        known = model.model_fields if model else ()
        all_keys = "`kindctl config schema` lists all keys"
        return f"unknown key {where!r}", did_you_mean(str(path[-1]), known, all_keys)
    return None


def _of_value(path: FieldPath, kind: str, value: Any, context: Mapping[str, Any]) -> Words | None:
    if kind in EXPECTED:
        return _wrong_type(path, EXPECTED[kind], value)
    if kind in ("too_short", "string_too_short"):
        return f"{dotted(path)} is empty", f"set a value: {_description(path)}"
    hint = ""
    if kind == "literal_error":
        hint = did_you_mean(str(value).lower(), re.findall(r"'([^']*)'", str(context["expected"])))
    elif kind == "string_pattern_mismatch":
        is_name = path[-1] in ("name", "namespace", "service")
        hint = "lower-case letters, digits and '-'" if is_name else f"match {context['pattern']}"
        hint = f"it must {'consist of ' if is_name else ''}{hint}"
    elif kind == "string_too_long":
        hint = f"it has {len(value)} characters; at most {context['max_length']} are allowed"
    elif context in ({"ge": NODE_PORT_MIN}, {"le": NODE_PORT_MAX}):
        key = str(path[-1]) if path[-2:-1] == ("nodePorts",) else "local"
        hint = f"node ports are {NODE_PORT_MIN} to {NODE_PORT_MAX}; "
        hint += f"the port of this machine is set with `{key}`, and can be any port"
        return f"{dotted(path)}: {value} is not a node port", hint
    elif kind in BOUNDS:
        name, words = BOUNDS[kind]
        hint = f"it must be {words} {context[name]}"
    return (f"{dotted(path)}: {value!r:.60} is not valid", hint) if hint else None


def _other(path: FieldPath, item: Mapping[str, Any]) -> Words:
    words, value = str(item["msg"]), item.get("input")
    if item["type"] == "choice":
        return f"{dotted(path)}: {value!r:.60} is not valid", words
    return f"{dotted(path)}: {words[0].lower()}{words[1:]}", f"it is {value!r:.60}"


def _wrong_type(path: FieldPath, expected: str, value: Any) -> Words:
    where, key = dotted(path), path[-1] if path else ""
    prefix = f"{key}: " if isinstance(key, str) else ""
    if value is None:
        return f"{where} is empty", f"{_example(path, expected, prefix)}, or remove the line"
    if expected == "text" and isinstance(value, bool):
        return f"{where} must be text, not {str(value).lower()}", "put the value in quotes"
    if expected == "text" and isinstance(value, int | float):
        return f"{where} must be text, not the number {value}", f'quote it: "{value}"'
    hint = _example(path, expected, prefix)
    if expected == "a list" and isinstance(value, str):
        hint = f"write `{prefix}[{value}]`"
    elif expected == "a whole number" and isinstance(value, str) and value.isdecimal():
        hint = f"write it without quotes: {value}"
    return f"{where} must be {expected}, not {value!r:.60}", hint


def _example(path: FieldPath, expected: str, prefix: str) -> str:
    """Return a hint that shows how to write the value, or what it means if it is a single word or
    number."""
    if expected not in ("a list", "a mapping"):
        return f"`{prefix}...`: {_description(path)}"
    inside = "..." if expected == "a list" else "...: ..."
    if model := _model(path):
        needed = [name for name, info in model.model_fields.items() if info.is_required()]
        inside = ", ".join(f"{name}: ..." for name in needed or list(model.model_fields)[:1])
    if expected == "a mapping":
        return f"write `{prefix}{{{inside}}}`"
    return f"write `{prefix}[{{{inside}}}]`" if model else f"write `{prefix}[{inside}]`"


def _one_of_each_choice(error: ValidationError) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    """Yield (path, error) of each error to report. Where the schema allows a word or a mapping, pydantic
    reports errors for both. If the file contains a mapping, only the errors of the mapping are reported.
    Otherwise only the error that says what is allowed is reported."""
    is_mapping: dict[
        FieldPath, bool
    ] = {}  # path of a choice -> whether the file has a mapping there
    for item in error.errors():
        if item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]:
            continue  # it is too short only because some items are wrong, and they are reported
        path = tuple(part for part in item["loc"] if isinstance(part, str | int))
        if path[-1:] == ("[key]",):
            yield path[:-1], {**item, "type": "invalid_key"}
            continue
        choice, rest = _choice(path)
        if choice is None:
            yield path, item
            continue
        if choice not in is_mapping:  # the first error is about the word
            is_mapping[choice] = isinstance(item["input"], Mapping)
            if not is_mapping[choice]:
                allowed = _description(choice) or item["msg"]
                yield choice, {"type": "choice", "input": item["input"], "msg": allowed}
        elif is_mapping[choice]:
            yield (*choice, *rest), item


def _choice(path: FieldPath) -> tuple[FieldPath | None, FieldPath]:
    """Return (path of the choice that an error lies in, path from there), without the tag that
    pydantic adds."""
    for index, part in enumerate(path):
        if isinstance(part, str) and index and _is_tag(part):
            return path[:index], path[index + 1 :]
    return None, ()


def _is_tag(part: str) -> bool:
    """Return whether pydantic added this part: "literal['kind']", "constrained-int", "str",
    "ExistingConfig". No key of the file looks like these."""
    return (
        part in ("str", "int")
        or "[" in part
        or part.startswith("constrained-")
        or part[:1].isupper()
    )


def _description(path: FieldPath) -> str:
    field = _field(path)
    return (field.description if field else "") or ""


def _field(path: FieldPath) -> FieldInfo | None:
    """Return the field of the schema at a path; None if there is none."""
    names = [part for part in path if isinstance(part, str)]
    model = _model(tuple(names[:-1])) if names else None
    return model.model_fields.get(names[-1]) if model else None


def _model(path: FieldPath) -> type[BaseModel] | None:
    """Return the schema of the mapping, or of the list's items, at a path; None if it has no keys
    of its own."""
    if not any(isinstance(part, str) for part in path):
        return Config
    field = _field(path)
    return next(_models(field.annotation), None) if field else None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
