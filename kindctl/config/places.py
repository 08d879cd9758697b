"""YAML read twice: as data, and as the line and column of every key and value in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kindctl.errors import ConfigError, Problem
from kindctl.manifests import yaml_nodes

Loc = tuple[str | int, ...]
"""A path into the document: ("apps", 0, "name")."""


def dotted(loc: Loc) -> str:
    """("apps", 0, "name") -> "apps[0].name" """
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass
class Document:
    """One file: its data, and where each part of it stands (line and column from 1)."""

    file: str
    data: Any
    keys: dict[Loc, tuple[int, int]] = field(default_factory=dict)
    values: dict[Loc, tuple[int, int]] = field(default_factory=dict)

    def place(self, loc: Sequence[str | int], *, key: bool = False) -> tuple[int, int] | None:
        """Where `loc` stands; where it is missing, its nearest parent. None: not in this file."""
        exact = tuple(loc)
        if key and exact in self.keys:
            return self.keys[exact]
        for end in range(len(exact), 0, -1):
            if exact[:end] in self.values:
                return self.values[exact[:end]]
        return None


def read(path: Path) -> Document:
    """Parse one YAML file. Raises ConfigError for what is not YAML, and for a key given twice."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(
            [Problem(str(path), 0, 0, error.strerror or str(error), "kindctl init writes one")]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Problem(str(path), 0, 0, "not UTF-8 text", "save it as UTF-8")]
        ) from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Document:
    """Raises ConfigError."""
    document = Document(file, None)
    nodes: list[yaml.Node] = []
    problems: list[Problem] = []

    def use(loader: yaml_nodes.Loader, node: yaml.Node) -> None:
        nodes.append(node)
        if len(nodes) == 1:
            document.data = _walk(loader, node, (), document, problems)

    for fault in yaml_nodes.read(text, use):
        place = _place(fault.mark) if fault.mark else (1, 1)
        problems.append(Problem(file, *place, fault.message, fault.hint))
    if len(nodes) > 1:
        message = "a second document, of which nothing is read"
        problems.append(
            Problem(file, *_place(nodes[1].start_mark), message, "one file, one document")
        )
    if problems:
        raise ConfigError(problems)
    return document


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _walk(
    loader: yaml_nodes.Loader,
    node: yaml.Node,
    loc: Loc,
    document: Document,
    problems: list[Problem],
) -> Any:
    document.values[loc] = _place(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)  # `<<: *anchor`; what is merged comes first
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            place = _place(key_node.start_mark)
            if not isinstance(key, str | int | float | bool):
                message = "a key must be a plain word"
                problems.append(Problem(document.file, *place, message, "key: value"))
                continue
            inner: Loc = (*loc, key if isinstance(key, str | int) else str(key))
            document.keys[inner] = place
            mapping[key] = _walk(loader, value_node, inner, document, problems)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [
            _walk(loader, item, (*loc, index), document, problems)
            for index, item in enumerate(node.value)
        ]
    return loader.construct_object(node, deep=True)
