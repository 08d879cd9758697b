"""What an entry of `manifests` leads to: files, folders, kustomizations, charts, as texts to parse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kindctl.errors import Problem, ToolError

SUFFIXES = (".yaml", ".yml", ".json")
ENDINGS = f"files that end in {', '.join(SUFFIXES)}"
OWN_FILES = ("kindctl.yaml", "kindctl.local.yaml")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
TEMPLATE = re.compile(r"^---\n# Source: (\S+)$", re.MULTILINE)
"""How helm says which template gave what follows."""

SENTENCE = re.compile(r"^error: (.+?)(?:\n\s*\n|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL)
LOGGED = re.compile(r'^[EF]\d{4} .* err="(.+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Chart:
    """A Helm chart. Paths are relative to the file's folder."""

    chart: str
    name: str = ""  # of the release; empty: the app's
    values: Sequence[str] = ()
    set: Mapping[str, Any] = field(default_factory=dict)  # a.b -> value

    def __str__(self) -> str:
        return self.chart


ManifestSource = str | Chart
"""A file, a folder of YAML, the folder of a kustomization, or a chart."""


class Renderer(Protocol):
    """Raises ToolError: code program-missing where nothing can do it."""

    def kustomization(self, folder: Path) -> str:
        """The objects as YAML."""
        ...

    def chart(
        self, chart: Path, release: str, namespace: str, values: Sequence[Path], given: str
    ) -> str:
        """The objects as YAML. `given`: more values, as JSON, which win over those of the files."""
        ...


@dataclass(frozen=True)
class Text:
    """YAML, and where it is from. Its lines are those of the file unless it was rendered."""

    file: str
    text: str
    rendered: bool = False
    chart: bool = False

    def problem(self, message: str, hint: str = "", mark: Any = None) -> Problem:
        """`mark`: PyYAML's place in the text."""
        known = mark is not None and not self.rendered
        line, column = (mark.line + 1, mark.column + 1) if known else (0, 0)
        return Problem(self.file, line, column, message, hint)


Fault = Callable[[str, str], Problem]
"""(message, hint) -> a Problem with the place of the entry in kindctl.yaml."""


@dataclass(frozen=True)
class Texts:
    """Reads the entries of one app. What cannot be read is appended to `problems`."""

    root: Path
    release: str
    namespace: str
    render: Renderer | None
    problems: list[Problem]

    def of(self, entry: ManifestSource, fault: Fault) -> Iterator[Text]:
        try:
            if isinstance(entry, Chart):
                yield from self._chart(entry)
                return
            path = self.root / entry
            if path.name in KUSTOMIZATIONS or _is_kustomization(path):
                folder = (path if path.is_dir() else path.parent).resolve()
                yield Text(str(folder), self._renderer().kustomization(folder), rendered=True)
                return
        except ToolError as error:
            if error.code == "program-missing":
                self.problems.append(fault(error.what, error.fix))
            else:
                message = f"{str(entry)!r} cannot be rendered: {words_of(error)}"
                self.problems.append(fault(message, "these are the words of the program"))
            return
        for file in self._inside(path, entry, fault) if path.is_dir() else [path]:
            yield from self._file(file)

    def _chart(self, chart: Chart) -> Iterator[Text]:
        folder = (self.root / chart.chart).resolve()
        text = self._renderer().chart(
            folder,
            chart.name or self.release,
            self.namespace,
            [(self.root / file).resolve() for file in chart.values],
            json.dumps(nested(chart.set)),
        )
        before, *parts = TEMPLATE.split(text)
        yield Text(str(folder), before, rendered=True, chart=True)
        for source, part in zip(parts[::2], parts[1::2], strict=True):
            file = folder / source.partition("/")[2]  # helm names the chart first
            yield Text(str(file), part, rendered=True, chart=True)

    def _renderer(self) -> Renderer:
        if self.render is None:
            raise ToolError("kustomizations and charts are not read here", code="program-missing")
        return self.render

    def _inside(self, folder: Path, entry: str, fault: Fault) -> list[Path]:
        inside = sorted(folder.iterdir())
        files = [f for f in inside if f.suffix in SUFFIXES and f.name not in OWN_FILES]
        if any(file.name == "Chart.yaml" for file in inside):
            message = f"{entry!r} is a Helm chart"
            self.problems.append(fault(message, f"name it so: {{chart: {entry}}}"))
            return []
        if not files:
            nested = sorted({f.parent.name for f in folder.glob("*/*") if f.suffix in SUFFIXES})
            hint = f"name its folders: {', '.join(nested)}" if nested else f"{ENDINGS} are read"
            self.problems.append(fault(f"no manifests in folder {entry!r}", hint))
        return files

    def _file(self, file: Path) -> Iterator[Text]:
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            self._add(file, "not UTF-8 text", "save it as UTF-8")
        except OSError as error:
            self._add(file, error.strerror or str(error), "kindctl has to be able to read it")
        else:
            if file.suffix == ".json":
                text = text.replace(
                    "\t", " "
                )  # JSON is YAML but for its tabs, which no string may hold
            yield Text(str(file), text)

    def _add(self, file: Path, message: str, hint: str) -> None:
        self.problems.append(Problem(str(file), 0, 0, message, hint))


def _is_kustomization(folder: Path) -> bool:
    return any((folder / name).is_file() for name in KUSTOMIZATIONS)


def words_of(error: ToolError) -> str:
    """What the program says went wrong, on one line: helm's sentence goes on over several, and some builds
    of kubectl log theirs."""
    if said := SENTENCE.search(error.output):
        return " ".join(said[1].split())
    logged = LOGGED.findall(error.output)
    lines = [*filter(str.strip, error.output.splitlines())]
    return str((logged or lines or [error.why or error.what])[-1]).strip()


def nested(single: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` -> `{"a": {"b": 1}}`; `\\.` is a point within a name. Later ones win."""
    values: dict[str, Any] = {}
    for path, value in single.items():
        *above, last = (part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", path))
        inner = values
        for part in above:
            known = inner.get(part)
            inner[part] = dict(known) if isinstance(known, dict) else {}
            inner = inner[part]
        inner[last] = value
    return values
