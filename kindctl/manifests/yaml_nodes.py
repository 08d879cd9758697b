"""Reads YAML as Kubernetes does, and knows the line and column of everything in it.

Both kindctl.yaml and manifests are read here, so that a problem in either has its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kindctl.errors import ConfigError, Problem
from kindctl.problems import FieldPath

MAX_DEPTH = 100
"""Levels of nesting that are read. The definitions of Kubernetes' largest resources have 30."""

INTEGER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$")
NUMBER_STARTS = list("-+.0123456789")
TAG = "tag:yaml.org,2002:"
NUMBERS = (f"{TAG}int", f"{TAG}float")
TEXT_TO_KUBERNETES = (f"{TAG}timestamp", f"{TAG}value")
PLAIN = {*NUMBERS, *(f"{TAG}{name}" for name in ("null", "bool", "str", "seq", "map"))}
"""Tags of the types that JSON has too."""

PLAIN_KEY = ("a key must be plain text", "write `key: value`")

BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a CRD of a megabyte is common


class YamlProblem(NamedTuple):
    """What is wrong in a text. `mark` is its place, counted from 0; None if it has no single place.
    `unusable`: the document must not be constructed: a value never ends, is too deep, or has a key that
    data cannot have."""

    message: str
    hint: str
    mark: yaml.Mark | None
    unusable: bool = False


class Loader(BASE):  # type: ignore[misc]
    """PyYAML's safe loader, changed to read scalars as Kubernetes does: dates, numbers to the base of 60
    and `=` are text, and a number with an exponent needs no decimal point."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as its base has it
        start: [rule for rule in rules if rule[0] not in (*NUMBERS, *TEXT_TO_KUBERNETES)]
        for start, rules in BASE.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node. Raises ConstructorError for a tag that plain data does not
        have, and for a value that does not fit its tag: `!!int eighty`."""
        if node.tag not in PLAIN:
            message = f"unsupported YAML tag {node.tag.replace(TAG, '!!')}"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError) as error:
            message = f"{node.value!r:.40} is not a valid {node.tag.removeprefix(TAG)}"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping whose keys are text, as in JSON: Kubernetes reads `yes: a` as the key
        "true"."""
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        plain = all(isinstance(key, str) for key in made)
        return made if plain else {_text(key): value for key, value in made.items()}


def _text(key: Any) -> Any:
    return str(key).lower() if isinstance(key, bool) else str(key)


for _tag, _pattern in zip(NUMBERS, (INTEGER, FLOAT), strict=True):
    Loader.add_implicit_resolver(_tag, _pattern, NUMBER_STARTS)


def read_text(file: Path, hint: str) -> str:
    """Return the contents of a file. Raises ConfigError if it cannot be read, with `hint`, or is
    not UTF-8."""
    try:
        return file.read_text()
    except UnicodeDecodeError as error:
        problem = Problem(str(file), 0, 0, "not UTF-8 text", "save it as UTF-8")
        raise ConfigError([problem]) from error
    except OSError as error:
        raise ConfigError([Problem(str(file), 0, 0, error.strerror or str(error), hint)]) from error


def read(
    text: str, use: Callable[[Loader, yaml.Node], None], loader_class: type[Loader] = Loader
) -> list[YamlProblem]:
    """Call `use` with each YAML document in `text`, up to the first syntax error. Documents whose data
    cannot be constructed are left out.

    Returns all problems, also those that `use` meets while it constructs a document.
    """
    found: list[YamlProblem] = []
    try:
        loader = loader_class(text)
        while loader.check_node():
            node = loader.get_node()
            problems = list(_problems(node, (), set()))
            found += problems
            if not any(problem.unusable for problem in problems):
                use(loader, node)
    except yaml.MarkedYAMLError as error:
        found.append(_explained(error, text))
    except yaml.reader.ReaderError as error:
        mark = _mark_of_byte(text, error.position)
        found.append(YamlProblem("invalid YAML: a control character", "remove it", mark))
    except RecursionError:
        found.append(_too_deep(None))
    return found


def fields(node: yaml.Node, path: FieldPath) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield the nodes of key and value for each part of a path, as far as the document has the
    path. The key of an item of a list is the item itself. Of keys that a merge (`<<`) brings
    twice, the last counts."""
    for part in path:
        pair = None
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in reversed(node.value) if _is_key(p[0], part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            pair = next(((item, item) for item in node.value[part : part + 1]), None)
        if pair is None:
            return
        yield pair
        node = pair[1]


def _is_key(node: yaml.Node, part: str | int) -> bool:
    """Return whether a node is the key `part`. YAML may have read the key from other text, as it reads
    `yes` as True."""
    if node.value == part or node.tag == "tag:yaml.org,2002:str":
        return bool(node.value == part)
    key = Loader("").construct_object(node)
    return part in (key, str(key))


def mark_of(node: yaml.Node, path: FieldPath) -> yaml.Mark:
    """Return the place of the field at a path. If the field is missing, return the place of its nearest
    parent."""
    for _, value in fields(node, path):
        node = value
    return node.start_mark


def _explained(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    mark = _inside(text, error.problem_mark or error.context_mark)
    problem = str(error.problem)
    if "{{" in text:
        hint = "this is a template: render it first"
    elif problem == "found unhashable key":
        return YamlProblem(*PLAIN_KEY, mark)
    elif isinstance(error, yaml.constructor.ConstructorError):
        return YamlProblem(problem, "use only text, numbers, lists and mappings", mark)
    elif "cannot start any token" in problem:
        hint = "indent with spaces, not tabs; quote text that starts with a special character"
    else:
        hint = "check brackets, quotes, colons and indentation here and just before"
    return YamlProblem(f"invalid YAML: {problem}", hint, mark)


def _mark_of_byte(text: str, position: int) -> yaml.Mark:
    """Return the place of a byte, counted in UTF-8."""
    before = text.encode()[:position].decode(errors="ignore")
    line = before.count("\n")
    return yaml.Mark("", position, line, len(before) - before.rfind("\n") - 1, None, 0)


def _inside(text: str, mark: yaml.Mark | None) -> yaml.Mark | None:
    """Return a place inside the text. libyaml reports what is missing at the end as a place below the last
    line; such a place is moved into the text."""
    lines = text.splitlines()
    if mark is None or mark.line < len(lines) or not lines:
        return mark
    return yaml.Mark(mark.name, len(text), len(lines) - 1, len(lines[-1]), None, 0)


def _problems(node: yaml.Node, above: tuple[int, ...], seen: set[int]) -> Iterator[YamlProblem]:
    """Keys that a mapping has twice (YAML would silently take the last) or cannot have, and values
    without an end.
    `above` are the ids of the nodes that contain this one."""
    if isinstance(node, yaml.ScalarNode) and len(above) <= MAX_DEPTH:
        return  # most nodes are scalars, and contain nothing
    if id(node) in above:
        hint = "the alias refers to a value that contains the alias"
        yield YamlProblem("this value contains itself", hint, node.start_mark, unusable=True)
        return
    if id(node) in seen:  # an alias of a node that was searched before
        return
    seen.add(id(node))
    if len(above) > MAX_DEPTH:
        yield _too_deep(node.start_mark)
        return
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _problems(item, above, seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Mark] = {}
        for key, value in node.value:
            if key.tag == f"{TAG}null":
                yield YamlProblem(*PLAIN_KEY, key.start_mark, unusable=True)
            elif isinstance(key, yaml.ScalarNode) and key.value != "<<":
                mark = first.setdefault(key.value, key.start_mark)
                if mark is not key.start_mark:
                    hint = f"remove one of the two; the first is on line {mark.line + 1}"
                    yield YamlProblem(f"duplicate key {key.value!r}", hint, key.start_mark)
            yield from _problems(key, above, seen)
            yield from _problems(value, above, seen)


def _too_deep(mark: yaml.Mark | None) -> YamlProblem:
    hint = f"at most {MAX_DEPTH} levels are allowed"
    return YamlProblem("nested too deeply", hint, mark, unusable=True)
