"""What pydantic finds wrong in kindctl.yaml, in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from kindctl.config.places import Loc, dotted
from kindctl.config.schema import NODE_PORT_MAX, NODE_PORT_MIN, Config

WANTED = {
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
"""pydantic's name of a fault -> what should stand there."""

BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}


@dataclass(frozen=True)
class Fault:
    """`of_key`: its place is that of the key, not that of the value."""

    loc: Loc
    message: str
    hint: str
    of_key: bool = False


def faults(error: ValidationError) -> Iterator[Fault]:
    for loc, item in _one_of_each_choice(error):
        kind, given, ctx = item["type"], item.get("input"), item.get("ctx") or {}
        message, hint = _of_key(loc, kind) or _of_value(loc, kind, given, ctx) or _other(loc, item)
        yield Fault(loc, message, hint, of_key=kind in ("extra_forbidden", "invalid_key"))


Words = tuple[str, str]
"""(message, hint)"""


def _of_key(loc: Loc, kind: str) -> Words | None:
    where = dotted(loc)
    if kind == "missing":
        return f"{where!r} is missing", f"{loc[-1]}: {_description(loc)}"
    if kind == "invalid_key":
        return f"{where}: a key has to be text", f'quote it: "{loc[-1]}"'
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(loc[-1]), _known_keys(loc), 1)
        hint = f"did you mean {close[0]!r}?" if close else "see `kindctl config schema`"
        return f"unknown key {where!r}", hint
    return None


def _of_value(loc: Loc, kind: str, given: Any, ctx: Mapping[str, Any]) -> Words | None:
    if kind in WANTED:
        return _wrong_type(loc, WANTED[kind], given)
    if kind in ("too_short", "string_too_short"):
        return f"{dotted(loc)} is empty", _description(loc)
    hint = ""
    if kind == "literal_error":
        hint = guess(given, re.findall(r"'([^']*)'", str(ctx["expected"])))
    elif kind == "string_pattern_mismatch":
        plain = loc[-1] in ("name", "namespace", "service")
        hint = "lower-case letters, digits and '-'" if plain else f"must match {ctx['pattern']}"
    elif kind == "string_too_long":
        hint = f"it has {len(given)} characters, and at most {ctx['max_length']} are possible"
    elif ctx in ({"ge": NODE_PORT_MIN}, {"le": NODE_PORT_MAX}):
        key = str(loc[-1]) if loc[-2:-1] == ("nodePorts",) else "local"
        hint = f"Kubernetes gives {NODE_PORT_MIN} to {NODE_PORT_MAX}; "
        hint += f"the port of this machine is `{key}`, and may be any"
        return f"{dotted(loc)}: {given} is no node port", hint
    elif kind in BOUNDS:
        name, words = BOUNDS[kind]
        hint = f"{words} {ctx[name]}"
    return (f"{dotted(loc)}: {given!r:.60} is not valid", hint) if hint else None


def _other(loc: Loc, item: Mapping[str, Any]) -> Words:
    said, given = str(item["msg"]), item.get("input")
    if item["type"] == "choice":
        return f"{dotted(loc)}: {given!r:.60} is not valid", said
    return f"{dotted(loc)}: {said[0].lower()}{said[1:]}", f"there is {given!r:.60}"


def _wrong_type(loc: Loc, wanted: str, given: Any) -> Words:
    where, key = dotted(loc), loc[-1] if loc else ""
    known = f"{key}: " if isinstance(key, str) else ""
    example = known + _example(loc, wanted)
    if given is None:
        return f"{where} is empty", f"{example}; or take the line out"
    if wanted == "text" and isinstance(given, bool | int | float):
        what = "`true` or `false`" if isinstance(given, bool) else "a number"
        shown = "..." if isinstance(given, bool) else given
        return f"{where}: {given} is {what}, not text", f'quote it: "{shown}"'
    if wanted == "a list" and isinstance(given, str):
        example = f"{known}[{given}]"
    elif wanted == "a whole number" and isinstance(given, str) and given.isdecimal():
        example = f"without quotes: {given}"
    return f"{where}: {wanted} is wanted here, not {given!r:.60}", example


def _example(loc: Loc, wanted: str) -> str:
    field = _field(loc)
    model = next(_models(field.annotation), None) if field else None
    if wanted not in ("a list", "a mapping"):
        return f"... ({_description(loc)})"
    if model is None:
        return "[...]" if wanted == "a list" else "{...: ...}"
    needed = [name for name, info in model.model_fields.items() if info.is_required()]
    keys = ", ".join(f"{name}: ..." for name in needed or list(model.model_fields)[:1])
    return f"[{{{keys}}}]" if wanted == "a list" else f"{{{keys}}}"


def guess(given: Any, known: Sequence[str]) -> str:
    """The one that may have been meant, else all of them."""
    close = difflib.get_close_matches(str(given).lower(), known, 1)
    return f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"


def _one_of_each_choice(error: ValidationError) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """(place, error). Where the schema allows a word or a mapping, pydantic reports a fault for each: of
    a mapping those of the mapping are meant, of anything else one that says what is allowed."""
    seen: dict[Loc, bool] = {}  # place of a choice -> whether a mapping is given there
    for item in error.errors():
        if item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]:
            continue  # only because its items are wrong, which is said of them
        loc = tuple(part for part in item["loc"] if isinstance(part, str | int))
        if loc[-1:] == ("[key]",):
            yield loc[:-1], {**item, "type": "invalid_key"}
            continue
        place, rest = _choice(loc)
        if place is None:
            yield loc, item
            continue
        if place not in seen:  # the first fault is of the word
            seen[place] = isinstance(item["input"], Mapping)
            if not seen[place]:
                allowed = _description(place) or item["msg"]
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


def _description(loc: Loc) -> str:
    field = _field(loc)
    return (field.description if field else "") or ""


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
        field = model.model_fields.get(part)
        model = next(_models(field.annotation), None) if field else None
        if model is None:
            return []
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
