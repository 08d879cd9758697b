"""The user's manifests: objects, with the file, line and column of every field.

They are read as kubectl reads them: the files of a folder (not of its subfolders) in the order of their
names, several documents in a file, a `kind: List` as its items. Nothing is guessed: whatever is not an
object with a name is a Problem with its place, and all problems are raised at once. The place of a
rendered object is the folder of its kustomization, or the template of its chart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindctl.errors import Problem
from kindctl.kube_objects import annotations_of, api_group, namespace_of
from kindctl.manifests.scopes import Scopes
from kindctl.manifests.shapes import misshapen
from kindctl.manifests.sources import Renderer, Text, Texts
from kindctl.models import Object
from kindctl.problems import FieldPath, FieldProblem, refuse
from kindctl.schema import Source

if TYPE_CHECKING:
    import yaml

HOOK = "helm.sh/hook"
INSTALL_HOOKS = {"pre-install", "post-install", "crd-install"}

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """A problem with a level. An ERROR is certain to fail, so nothing is applied; a WARNING is printed."""

    level: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.level}: {self.problem}"


@dataclass(frozen=True)
class Manifest:
    """One object, with its namespace filled in. `node` is its YAML; None if the object was rendered."""

    obj: Object
    file: str
    node: yaml.Node | None = field(default=None, repr=False, compare=False)

    def problem(self, message: str, hint: str = "", path: FieldPath = ()) -> Problem:
        """Return a problem with the object, at the place of a field."""
        return Problem(self.file, *self.place(path), message, hint)

    def error(self, message: str, hint: str = "", path: FieldPath = ()) -> Finding:
        return Finding(ERROR, self.problem(message, hint, path))

    def warning(self, message: str, hint: str = "", path: FieldPath = ()) -> Finding:
        return Finding(WARNING, self.problem(message, hint, path))

    def place(self, path: FieldPath = ()) -> tuple[int, int]:
        """Return the line and column, from 1, of a field or its nearest parent; 0, 0 if the object was
        rendered."""
        if self.node is None:
            return 0, 0
        from kindctl.manifests.yaml_nodes import mark_of

        mark = mark_of(self.node, path)
        return mark.line + 1, mark.column + 1

    def where(self, path: FieldPath = ()) -> str:
        """Return FILE:LINE of a field, or FILE if the line is not known."""
        line, _ = self.place(path)
        return f"{self.file}:{line}" if line else self.file

    @property
    def kind(self) -> str:
        return str(self.obj["kind"])

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The namespace; empty for a cluster-scoped object."""
        return namespace_of(self.obj)

    @property
    def group(self) -> str:
        return api_group(str(self.obj["apiVersion"]))

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """(group, kind, namespace, name), which no two objects in a cluster share."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


def read_manifests(
    root: Path,
    entries: Sequence[Source],
    namespace: str,
    *,
    release: str = "",
    render: Renderer | None = None,
    entry_problem: Callable[[int, str, str], Problem] | None = None,
) -> list[Manifest]:
    """Return every object in `entries`, relative to `root`, in order.

    `namespace` is for objects that set none, `release` is the release name of charts that set none.
    `entry_problem` makes a problem from (index of an entry, message, hint), with the entry's place
    in kindctl.yaml. Raises ConfigError with all problems.
    """
    problems: list[Problem] = []
    found: list[Manifest] = []
    texts = Texts(root, release or namespace, namespace, render, problems)
    for index, entry in enumerate(entries):
        file = str(root / str(entry))
        to_problem = (
            partial(entry_problem, index) if entry_problem else partial(Problem, file, 0, 0)
        )
        for text in texts.read(entry, to_problem):
            found += _read(text, problems)
    scopes = Scopes.of([manifest.obj for manifest in found])
    for manifest in found:
        _default_namespace(manifest.obj, scopes, namespace)
    refuse([*problems, *_duplicates(found)])
    return found


def _read(text: Text, problems: list[Problem]) -> list[Manifest]:
    """Return the objects in one text, as far as they can be read; the rest is appended to
    `problems`."""
    from kindctl.manifests import yaml_nodes

    found: list[Manifest] = []

    def use(loader: yaml_nodes.Loader, node: yaml.Node) -> None:
        data = loader.construct_document(node)
        if data is not None:
            found.extend(_objects(data, node, text, problems))

    yaml_problems = yaml_nodes.read(text.text, use)
    problems += [text.problem(one.message, one.hint, one.mark) for one in yaml_problems]
    return found


def _objects(data: Any, node: yaml.Node, text: Text, problems: list[Problem]) -> Iterator[Manifest]:
    """Yield the objects in one document: itself, or the items of a List."""
    from kindctl.manifests.yaml_nodes import mark_of

    is_list = isinstance(data, dict) and data.get("kind") == "List"
    unnamed = None if is_list else _why_no_object(data)
    found = [unnamed] if unnamed else list(misshapen(data))
    # a rendered text has no line that tells which object is meant
    named = text.rendered and not (is_list or unnamed)
    prefix = f"{data['kind']} {data['metadata']['name']}: " if named else ""
    problems += [
        text.problem(prefix + one.message, one.hint, mark_of(node, one.path)) for one in found
    ]
    if found:
        return
    if is_list:
        nodes: list[yaml.Node] = next((v.value for k, v in node.value if k.value == "items"), [])
        for item, inner in zip(data.get("items") or (), nodes, strict=False):
            yield from _objects(item, inner, text, problems)
    elif not text.chart or _belongs_to_install(data):
        yield Manifest(data, text.file, None if text.rendered else node)


def _belongs_to_install(obj: Object) -> bool:
    """Return whether `helm install` would create the object. It would not create tests, and hooks
    of upgrades, deletions and rollbacks. The hook of an install, mostly a Job, is applied as a
    plain object."""
    names = str(annotations_of(obj).get(HOOK) or "").split(",")
    hooks = {name.strip() for name in names} - {""}
    return not hooks or bool(hooks & INSTALL_HOOKS)


def _why_no_object(data: Any) -> FieldProblem | None:
    """Return why a document is not an object that can be applied; None if it is one."""
    if not isinstance(data, dict):
        message = f"expected a Kubernetes object, got {data!r:.60}"
        return FieldProblem((), message, "an object starts with `apiVersion:`")
    for key in ("apiVersion", "kind"):
        if not isinstance(data.get(key), str) or not data[key]:
            return FieldProblem((), f"object without {key}", "add apiVersion and kind")
    meta = data.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if isinstance(meta, dict) and not name and meta.get("generateName"):
        message = f"{data['kind']} with generateName: every `up` would create another one"
        return FieldProblem((), message, "set metadata.name instead")
    if isinstance(name, int | float) and not isinstance(name, bool):
        message = f"the name of this {data['kind']} is the number {name}"
        return FieldProblem(("metadata", "name"), message, f'quote it: "{name}"')
    if not isinstance(name, str) or not name:
        return FieldProblem((), f"{data['kind']} without metadata.name", "add a name")
    return None


def _default_namespace(obj: Object, scopes: Scopes, namespace: str) -> None:
    meta = obj["metadata"]
    if not scopes.namespaced(obj):
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = namespace


def _duplicates(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    first: dict[tuple[str, str, str, str], Manifest] = {}
    for manifest in manifests:
        known = first.setdefault(manifest.identity, manifest)
        if known is not manifest:
            yield manifest.problem(f"{manifest} is defined twice", f"first in {known.where()}")
