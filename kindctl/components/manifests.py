"""The user's manifests: files and folders of YAML or JSON, read with the place of everything in them.

Read as kubectl reads them: a folder's own files in the order of their names, several documents a
file, a `kind: List` as its items. Nothing is guessed: whatever is not an object with a name is a
Problem with its place, and all of them come at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindctl.components.scopes import Scopes, group_of
from kindctl.errors import ConfigError, Problem
from kindctl.models import Object

if TYPE_CHECKING:
    import yaml

SUFFIXES = (".yaml", ".yml", ".json")
OWN_FILES = ("kindctl.yaml", "kindctl.local.yaml")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

Path_ = Sequence[str | int]
"""A path into an object: ("spec", "rules", 0, "host")."""


@dataclass(frozen=True)
class Manifest:
    """One object, as it will be named in the cluster, and where it stands."""

    obj: Object
    file: str
    node: yaml.Node | None = field(default=None, repr=False, compare=False)

    def problem(self, message: str, hint: str = "", at: Path_ = ()) -> Problem:
        line, column = self.place(at)
        return Problem(self.file, line, column, message, hint)

    def place(self, at: Path_ = ()) -> tuple[int, int]:
        """Line and column, from 1, of a part of the object; of the nearest that is there."""
        import yaml

        node = self.node
        if node is None:
            return 0, 0
        mark = node.start_mark
        for part in at:
            if isinstance(node, yaml.MappingNode):
                node = next((v for k, v in node.value if k.value == part), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part] if part < len(node.value) else None
            else:
                node = None
            if node is None:
                break
            mark = node.start_mark
        return mark.line + 1, mark.column + 1

    @property
    def kind(self) -> str:
        return str(self.obj["kind"])

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Empty for what belongs to no namespace."""
        return str(self.obj["metadata"].get("namespace", ""))

    @property
    def group(self) -> str:
        return group_of(self.obj)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What no two objects of a cluster share."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


def read_manifests(root: Path, entries: Sequence[str], namespace: str) -> list[Manifest]:
    """Every object in `entries`, files or folders below `root`, in order. `namespace` is for objects
    that name none. Raises ConfigError with all problems."""
    problems: list[Problem] = []
    found: list[Manifest] = []
    for file in _files(root, entries, problems):
        found += _read(file, problems)
    scopes = Scopes.of([manifest.obj for manifest in found])
    for manifest in found:
        _settle_namespace(manifest.obj, scopes, namespace)
    problems += _twice(found)
    if problems:
        raise ConfigError(problems)
    return found


def _files(root: Path, entries: Sequence[str], problems: list[Problem]) -> Iterator[Path]:
    for entry in entries:
        path = root / entry
        if not path.is_dir():
            yield path
            continue
        inside = sorted(path.iterdir())
        if any(file.name in KUSTOMIZATIONS for file in inside):
            hint = f"`kubectl kustomize {entry} > rendered.yaml`, and name that file"
            problems.append(Problem(str(path), 0, 0, "a kustomization is not read", hint))
            continue
        files = [f for f in inside if f.suffix in SUFFIXES and f.name not in OWN_FILES]
        if not files:
            nested = sorted({f.parent.name for f in path.glob("*/*") if f.suffix in SUFFIXES})
            hint = f"name its folders: {', '.join(nested)}" if nested else ""
            problems.append(Problem(str(path), 0, 0, "no manifests in this folder", hint))
        yield from files


def _read(file: Path, problems: list[Problem]) -> Iterator[Manifest]:
    """The objects of one file, as far as they can be read."""
    import yaml

    try:
        text = file.read_text()
    except UnicodeDecodeError:
        problems.append(Problem(str(file), 0, 0, "not UTF-8 text"))
        return
    except OSError as error:
        problems.append(Problem(str(file), 0, 0, error.strerror or str(error)))
        return
    if file.suffix == ".json":
        text = text.replace("\t", " ")  # JSON is YAML but for its tabs, which no string may hold
    loader = _loader()(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            repeated = list(_repeated(node, set()))
            problems += [_problem(file, key, f"{key.value!r} is given twice") for key in repeated]
            data = loader.construct_document(node)
            if data is not None:
                yield from _objects(data, node, str(file), problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        hint = "a template has to be rendered first" if "{{" in text else ""
        problems.append(Problem(str(file), line, column, f"not YAML: {error.problem}", hint))
    except yaml.YAMLError as error:  # a control character has no mark
        problems.append(Problem(str(file), 0, 0, f"not YAML: {error}"))
    finally:
        loader.dispose()


def _objects(data: Any, node: yaml.Node, file: str, problems: list[Problem]) -> Iterator[Manifest]:
    """One document: an object, or a List of them."""
    fault = _fault(data)
    if isinstance(data, dict) and data.get("kind") == "List":
        items = data.get("items") or []
        nodes: list[yaml.Node] = next((v.value for k, v in node.value if k.value == "items"), [])
        for item, inner in zip(items, nodes, strict=False):
            yield from _objects(item, inner, file, problems)
    elif fault:
        problems.append(_problem(Path(file), node, *fault))
    else:
        yield Manifest(data, file, node)


def _fault(data: Any) -> tuple[str, str] | None:
    """Why this is no object that can be applied (message and hint)."""
    if not isinstance(data, dict):
        return f"expected a Kubernetes object, got {data!r:.60}", "it starts with `apiVersion:`"
    for key in ("apiVersion", "kind"):
        if not isinstance(data.get(key), str) or not data[key]:
            return f"an object without {key}", "every Kubernetes object has apiVersion and kind"
    meta = data.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if isinstance(meta, dict) and not name and meta.get("generateName"):
        return (
            f"{data['kind']} with generateName: each `up` would make another one",
            "give it a name",
        )
    if isinstance(name, int | float) and not isinstance(name, bool):
        return f"the name of this {data['kind']} is the number {name}", f'quote it: "{name}"'
    if not isinstance(name, str) or not name:
        return f"{data['kind']} without metadata.name", ""
    return None


def _settle_namespace(obj: Object, scopes: Scopes, namespace: str) -> None:
    meta = obj["metadata"]
    if not scopes.namespaced(obj):
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = namespace


def _twice(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    first: dict[tuple[str, str, str, str], Manifest] = {}
    for manifest in manifests:
        known = first.setdefault(manifest.identity, manifest)
        if known is not manifest:
            place = f"{known.file}:{known.place()[0]}"
            yield manifest.problem(f"{manifest} is there twice", f"first in {place}")


def _problem(file: Path, node: yaml.Node, message: str, hint: str = "") -> Problem:
    mark = node.start_mark
    return Problem(str(file), mark.line + 1, mark.column + 1, message, hint)


def _repeated(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """Keys that a mapping has twice: YAML would silently take the last."""
    import yaml

    if id(node) in seen:  # an alias of what was looked at
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in keys:
                    yield key
                keys.add(key.value)
            yield from _repeated(value, seen)


INTEGER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$")
NUMBER_STARTS = list("-+.0123456789")


def _loader() -> Any:
    """PyYAML's loader, with the words that Kubernetes' own reader knows: no dates, and no numbers to
    the base of 60, both of which are text there; a number with an exponent needs no point."""
    import yaml

    number = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
    date = "tag:yaml.org,2002:timestamp"
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a CRD of a megabyte is common

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012 - as its base has it
            start: [rule for rule in rules if rule[0] not in (*number, date)]
            for start, rules in base.yaml_implicit_resolvers.items()
        }

    for tag, pattern in zip(number, (INTEGER, FLOAT), strict=True):
        Loader.add_implicit_resolver(tag, pattern, NUMBER_STARTS)
    return Loader
