"""YAML between text and data: read with the words that Kubernetes' own reader knows, and what is wrong in
it with the place of the part that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

MAX_DEPTH = 100
"""The definitions of Kubernetes' largest resources are 30 deep."""

INTEGER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$")
NUMBER_STARTS = list("-+.0123456789")
TAG = "tag:yaml.org,2002:"
NUMBERS = (f"{TAG}int", f"{TAG}float")
TEXT_TO_KUBERNETES = (f"{TAG}timestamp", f"{TAG}value")
PLAIN = {*NUMBERS, *(f"{TAG}{name}" for name in ("null", "bool", "str", "seq", "map"))}
"""What JSON has."""

BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a CRD of a megabyte is common


class Fault(NamedTuple):
    """`mark`: where, counted from 0; None: in no one place. `endless`: it cannot be walked through."""

    message: str
    hint: str
    mark: yaml.Mark | None
    endless: bool = False


class Loader(BASE):  # type: ignore[misc]
    """PyYAML's, with the words that Kubernetes' own reader knows: no dates, no numbers to the base of 60
    and no `=`, all of which are text there; a number with an exponent needs no point."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as its base has it
        start: [rule for rule in rules if rule[0] not in (*NUMBERS, *TEXT_TO_KUBERNETES)]
        for start, rules in BASE.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Raises ConstructorError for a tag that plain data does not have, and for what is no value of
        its tag: `!!int eighty`."""
        if node.tag not in PLAIN:
            said = f"the tag {node.tag.replace(TAG, '!!')} is not read"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError) as error:
            said = f"{node.value!r:.40} is no {node.tag.removeprefix(TAG)}"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Keys are text, as in JSON: `yes: a` has the key "true" for Kubernetes."""
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        plain = all(isinstance(key, str) for key in made)
        return made if plain else {_text(key): value for key, value in made.items()}


def _text(key: Any) -> Any:
    return str(key).lower() if isinstance(key, bool) else str(key)


for _tag, _pattern in zip(NUMBERS, (INTEGER, FLOAT), strict=True):
    Loader.add_implicit_resolver(_tag, _pattern, NUMBER_STARTS)


def read(text: str, use: Callable[[Loader, yaml.Node], None]) -> list[Fault]:
    """Call `use` with every document of a text, as far as the text can be read. What `use` meets in
    constructing one is a fault, too."""
    found: list[Fault] = []
    try:
        loader = Loader(text)
        while loader.check_node():
            node = loader.get_node()
            faults = list(_faults(node, (), set()))
            found += faults
            if not any(fault.endless for fault in faults):
                use(loader, node)
    except yaml.MarkedYAMLError as error:
        found.append(_told(error, text))
    except yaml.reader.ReaderError as error:
        found.append(Fault("not YAML: a control character", "remove it", _at(text, error.position)))
    except RecursionError:
        found.append(_too_deep(None))
    return found


def _told(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark = _inside(text, error.problem_mark or error.context_mark)
    problem = str(error.problem)
    if "{{" in text:
        hint = "a template has to be rendered first"
    elif isinstance(error, yaml.constructor.ConstructorError):
        return Fault(problem, "plain data alone is read: text, numbers, lists and mappings", mark)
    elif "cannot start any token" in problem:
        hint = "indent with spaces, not tabs; quote what starts with a special character"
    else:
        hint = "here or just before: a bracket, a quote, a colon or the indentation"
    return Fault(f"not YAML: {problem}", hint, mark)


def _at(text: str, position: int) -> yaml.Mark:
    """Of a byte of the text in UTF-8."""
    before = text.encode()[:position].decode(errors="ignore")
    line = before.count("\n")
    return yaml.Mark("", position, line, len(before) - before.rfind("\n") - 1, None, 0)


def _inside(text: str, mark: yaml.Mark | None) -> yaml.Mark | None:
    """libyaml places what is missing at the end of the text below its last line."""
    lines = text.splitlines()
    if mark is None or mark.line < len(lines) or not lines:
        return mark
    return yaml.Mark(mark.name, len(text), len(lines) - 1, len(lines[-1]), None, 0)


def _faults(node: yaml.Node, above: tuple[int, ...], seen: set[int]) -> Iterator[Fault]:
    """Keys that a mapping has twice (YAML would silently take the last), and what has no end."""
    if isinstance(node, yaml.ScalarNode) and len(above) <= MAX_DEPTH:
        return  # most nodes are such, and have nothing in them
    if id(node) in above:
        hint = "an alias leads to what it stands in"
        yield Fault("this has itself in it", hint, node.start_mark, endless=True)
        return
    if id(node) in seen:  # an alias of what was looked at
        return
    seen.add(id(node))
    if len(above) > MAX_DEPTH:
        yield _too_deep(node.start_mark)
        return
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _faults(item, above, seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Mark] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                mark = first.setdefault(key.value, key.start_mark)
                if mark is not key.start_mark:
                    hint = f"take one of the two out; the first is in line {mark.line + 1}"
                    yield Fault(f"{key.value!r} is given twice", hint, key.start_mark)
            yield from _faults(key, above, seen)
            yield from _faults(value, above, seen)


def _too_deep(mark: yaml.Mark | None) -> Fault:
    return Fault("nested too deeply", f"at most {MAX_DEPTH} levels are read", mark, endless=True)
