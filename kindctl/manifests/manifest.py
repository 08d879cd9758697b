"""The user's manifests, read with the place of everything in them.

Read as kubectl reads them: a folder's own files in the order of their names, several documents a
file, a `kind: List` as its items. Nothing is guessed: whatever is not an object with a name is a
Problem with its place, and all of them come at once. The place of what was rendered is the folder of
its kustomization, or the template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindctl.errors import ConfigError, Problem
from kindctl.kube_objects import api_group
from kindctl.manifests.scopes import Scopes
from kindctl.manifests.shapes import misshapen
from kindctl.manifests.sources import ManifestSource, Renderer, Text, Texts
from kindctl.models import Object

if TYPE_CHECKING:
    import yaml

HOOK = "helm.sh/hook"
HOOKS_OF_AN_INSTALL = {"pre-install", "post-install", "crd-install"}

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
        if self.node is None:
            return 0, 0
        mark = _mark(self.node, at)
        return mark.line + 1, mark.column + 1

    def where(self, at: Path_ = ()) -> str:
        """FILE:LINE of a part of the object, as far as that is known."""
        line, _ = self.place(at)
        return f"{self.file}:{line}" if line else self.file

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
        return api_group(str(self.obj["apiVersion"]))

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What no two objects of a cluster share."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


def read_manifests(
    root: Path,
    entries: Sequence[ManifestSource],
    namespace: str,
    *,
    release: str = "",
    render: Renderer | None = None,
    fault: Callable[[int, str, str], Problem] | None = None,
) -> list[Manifest]:
    """Every object in `entries`, relative to `root`, in order. `namespace` is for objects that name none,
    `release` for charts that name none; `fault` makes a problem of (index of an entry, message, hint), with
    its place in kindctl.yaml. Raises ConfigError with all problems."""
    problems: list[Problem] = []
    found: list[Manifest] = []
    texts = Texts(root, release or namespace, namespace, render, problems)
    for index, entry in enumerate(entries):
        place = partial(fault, index) if fault else partial(Problem, str(root / str(entry)), 0, 0)
        for text in texts.of(entry, place):
            found += _read(text, problems)
    scopes = Scopes.of([manifest.obj for manifest in found])
    for manifest in found:
        _default_namespace(manifest.obj, scopes, namespace)
    problems += _twice(found)
    if problems:
        raise ConfigError(problems)
    return found


def _read(text: Text, problems: list[Problem]) -> list[Manifest]:
    """The objects of one text, as far as they can be read."""
    from kindctl.manifests import yaml_nodes

    found: list[Manifest] = []

    def use(loader: yaml_nodes.Loader, node: yaml.Node) -> None:
        data = loader.construct_document(node)
        if data is not None:
            found.extend(_objects(data, node, text, problems))

    found_in_text = yaml_nodes.read(text.text, use)
    problems += [text.problem(one.message, one.hint, one.mark) for one in found_in_text]
    return found


def _objects(data: Any, node: yaml.Node, text: Text, problems: list[Problem]) -> Iterator[Manifest]:
    """One document: an object, or a List of them."""
    is_list = isinstance(data, dict) and data.get("kind") == "List"
    nameless = None if is_list else _fault(data)
    faults = [nameless] if nameless else list(misshapen(data))
    # what was rendered has no line by which one would know it
    named = text.rendered and not (is_list or nameless)
    which = f"{data['kind']} {data['metadata']['name']}: " if named else ""
    problems += [
        text.problem(which + message, hint, _mark(node, at)) for message, hint, at in faults
    ]
    if faults:
        return
    if is_list:
        nodes: list[yaml.Node] = next((v.value for k, v in node.value if k.value == "items"), [])
        for item, inner in zip(data.get("items") or (), nodes, strict=False):
            yield from _objects(item, inner, text, problems)
    elif not text.chart or _is_of_an_install(data):
        yield Manifest(data, text.file, None if text.rendered else node)


def _mark(node: yaml.Node, at: Path_) -> yaml.Mark:
    """Where a part stands; the nearest that is there."""
    import yaml

    inner: yaml.Node | None = node
    mark = node.start_mark
    for part in at:
        if isinstance(inner, yaml.MappingNode):
            inner = next((v for k, v in reversed(inner.value) if k.value == part), None)
        elif isinstance(inner, yaml.SequenceNode) and isinstance(part, int):
            inner = inner.value[part] if part < len(inner.value) else None
        else:
            inner = None
        if inner is None:
            break
        mark = inner.start_mark
    return mark


def _is_of_an_install(obj: Object) -> bool:
    """False for what a chart has for other moments: tests, hooks of upgrades, deletions and rollbacks.
    A hook of an install is applied as what it is, mostly a Job."""
    annotations = obj["metadata"].get("annotations") or {}
    hooks = {hook.strip() for hook in str(annotations.get(HOOK) or "").split(",")} - {""}
    return not hooks or bool(hooks & HOOKS_OF_AN_INSTALL)


def _fault(data: Any) -> tuple[str, str, Path_] | None:
    """Why this is no object that can be applied (message, hint and where)."""
    if not isinstance(data, dict):
        message = f"expected a Kubernetes object, got {data!r:.60}"
        return message, "it starts with `apiVersion:`", ()
    for key in ("apiVersion", "kind"):
        if not isinstance(data.get(key), str) or not data[key]:
            message = f"an object without {key}"
            return message, "every Kubernetes object has apiVersion and kind", ()
    meta = data.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if isinstance(meta, dict) and not name and meta.get("generateName"):
        message = f"{data['kind']} with generateName: each `up` would make another one"
        return message, "give it a name", ()
    if isinstance(name, int | float) and not isinstance(name, bool):
        message = f"the name of this {data['kind']} is the number {name}"
        return message, f'quote it: "{name}"', ("metadata", "name")
    if not isinstance(name, str) or not name:
        return f"{data['kind']} without metadata.name", "metadata: {name: ...}", ()
    return None


def _default_namespace(obj: Object, scopes: Scopes, namespace: str) -> None:
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
            line = known.place()[0]
            place = f"{known.file}:{line}" if line else known.file
            yield manifest.problem(f"{manifest} is there twice", f"first in {place}")
