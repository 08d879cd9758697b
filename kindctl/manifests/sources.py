"""Reads the entries of `manifests`: files, folders, kustomizations and charts become texts to parse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kindctl.errors import ConfigError, Problem, ToolError
from kindctl.schema import ChartConfig, Source

SUFFIXES = (".yaml", ".yml", ".json")
OWN_FILES = ("kindctl.yaml", "kindctl.local.yaml")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
TEMPLATE = re.compile(r"^---\n# Source: (\S+)$", re.MULTILINE)
"""The line with which helm names the template of the objects that follow."""

SENTENCE = re.compile(r"^error: (.+?)(?:\n\s*\n|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL)
LOGGED = re.compile(r'^[EF]\d{4} .* err="(.+)"$', re.MULTILINE)


class Renderer(Protocol):
    """Renders kustomizations and charts. Raises ToolError, with code program-missing if no program can."""

    def kustomization(self, folder: Path) -> str:
        """Return the objects of a kustomization as YAML."""
        ...

    def chart(
        self, chart: Path, release: str, namespace: str, values: Sequence[Path], given: str
    ) -> str:
        """Return the objects of a chart as YAML. `given` are more values, as JSON, which override
        those of the files."""
        ...


@dataclass(frozen=True)
class Text:
    """YAML and the file it comes from. If it was rendered, its lines are not those of the file."""

    file: str
    text: str
    rendered: bool = False
    chart: bool = False

    def problem(self, message: str, hint: str = "", mark: Any = None) -> Problem:
        """A problem at PyYAML's place in the text."""
        known = mark is not None and not self.rendered
        line, column = (mark.line + 1, mark.column + 1) if known else (0, 0)
        return Problem(self.file, line, column, message, hint)


ToProblem = Callable[[str, str], Problem]
"""Takes (message, hint), gives a Problem with the place of the entry in kindctl.yaml."""


@dataclass(frozen=True)
class Texts:
    """Reads the entries of one app. Problems with them are appended to `problems`."""

    root: Path
    release: str
    namespace: str
    render: Renderer | None
    problems: list[Problem]

    def read(self, entry: Source, to_problem: ToProblem) -> Iterator[Text]:
        """Yield the texts of one entry."""
        try:
            if isinstance(entry, ChartConfig):
                yield from self._chart(entry)
                return
            path = self.root / entry
            if path.name in KUSTOMIZATIONS or _is_kustomization(path):
                folder = (path if path.is_dir() else path.parent).resolve()
                yield Text(str(folder), self._renderer().kustomization(folder), rendered=True)
                return
        except ToolError as error:
            message, hint = error.what, error.fix
            if error.code != "program-missing":
                message = f"{str(entry)!r} cannot be rendered: {reported_error(error)}"
                hint = "the message is from the program that renders it"
            self.problems.append(to_problem(message, hint))
            return
        for file in self._files(path, entry, to_problem) if path.is_dir() else [path]:
            yield from self._file(file)

    def _chart(self, chart: ChartConfig) -> Iterator[Text]:
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
            file = folder / source.partition("/")[2]  # the path starts with the name of the chart
            yield Text(str(file), part, rendered=True, chart=True)

    def _renderer(self) -> Renderer:
        if self.render is None:
            raise ToolError(
                "kustomizations and charts are not supported here", code="program-missing"
            )
        return self.render

    def _files(self, folder: Path, entry: str, to_problem: ToProblem) -> list[Path]:
        inside = sorted(folder.iterdir())
        files = [f for f in inside if f.suffix in SUFFIXES and f.name not in OWN_FILES]
        if any(file.name == "Chart.yaml" for file in inside):
            message = f"{entry!r} is a Helm chart"
            self.problems.append(to_problem(message, f"write {{chart: {entry}}}"))
            return []
        if not files:
            nested = sorted({f.parent.name for f in folder.glob("*/*") if f.suffix in SUFFIXES})
            hint = f"manifests are files that end in {', '.join(SUFFIXES)}"
            if nested:
                hint = f"list its subfolders instead: {', '.join(nested)}"
            self.problems.append(to_problem(f"no manifests in folder {entry!r}", hint))
        return files

    def _file(self, file: Path) -> Iterator[Text]:
        from kindctl.manifests.yaml_nodes import read_text

        try:
            text = read_text(file, "check that it exists and that you may read it")
        except ConfigError as error:
            self.problems.extend(error.problems)
            return
        if file.suffix == ".json":  # YAML except for its tabs, which no string in JSON may hold
            text = text.replace("\t", " ")
        yield Text(str(file), text)


def _is_kustomization(folder: Path) -> bool:
    return any((folder / name).is_file() for name in KUSTOMIZATIONS)


def reported_error(error: ToolError) -> str:
    """Return what a program reports as its error, on one line: helm's message takes several lines,
    and some builds of kubectl log theirs."""
    if message := SENTENCE.search(error.output):
        return " ".join(message[1].split())
    logged = LOGGED.findall(error.output)
    lines = [*filter(str.strip, error.output.splitlines())]
    return str((logged or lines or [error.why or error.what])[-1]).strip()


def nested(single: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` -> `{"a": {"b": 1}}`; `\\.` is a dot inside a name. The last one wins."""
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
