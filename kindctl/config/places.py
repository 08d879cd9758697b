"""Represents one configuration file: its data, and the line and column of every key and value in
it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kindctl.errors import Problem
from kindctl.manifests import yaml_nodes
from kindctl.problems import FieldPath, refuse


class Loader(yaml_nodes.Loader):
    """A YAML loader that keeps keys that are not strings, so that the schema can reject them with
    their place."""

    construct_mapping = yaml_nodes.BASE.construct_mapping


@dataclass
class Document:
    """One file. `root` is its YAML node, None when the file is empty."""

    file: str
    data: Any
    root: yaml.Node | None

    def has(self, path: FieldPath) -> bool:
        """Return whether this file sets the field."""
        return bool(path) and len(self._fields(path)) == len(path)

    def place(self, path: FieldPath, *, at_key: bool = False) -> tuple[int, int]:
        """Return the line and column, from 1, of a field's value or key; if the field is missing, of
        its nearest parent, and at last of the top of the file."""
        found = self._fields(path)
        if not found:
            return 1, 1
        key, value = found[-1]
        return _place((key if at_key and len(found) == len(path) else value).start_mark)

    def _fields(self, path: FieldPath) -> list[tuple[yaml.Node, yaml.Node]]:
        return list(yaml_nodes.fields(self.root, path)) if self.root else []


def read(path: Path) -> Document:
    """Read one YAML file. Raises ConfigError if it cannot be read, is not valid YAML or has a key twice."""
    file = str(path)
    text = yaml_nodes.read_text(path, "`kindctl init` writes a new one")
    nodes: list[yaml.Node] = []
    data: list[Any] = []

    def use(loader: yaml_nodes.Loader, node: yaml.Node) -> None:
        nodes.append(node)
        if len(nodes) == 1:
            data.append(loader.construct_document(node))

    problems = [
        Problem(file, *(_place(found.mark) if found.mark else (1, 1)), found.message, found.hint)
        for found in yaml_nodes.read(text, use, Loader)
    ]
    if len(nodes) > 1:
        place = _place(nodes[1].start_mark)
        message, hint = "only the first YAML document is read", "remove `---` and what follows it"
        problems.append(Problem(file, *place, message, hint))
    refuse(problems)
    return Document(file, data[0], nodes[0]) if nodes else Document(file, None, None)


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
