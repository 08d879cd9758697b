"""Checks that the files and folders that kindctl.yaml names exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kindctl.problems import FieldPath, FieldProblem
from kindctl.schema import ChartConfig, Config, Source


def files_that_must_exist(config: Config, root: Path) -> Iterator[FieldProblem]:
    """Yield a problem for each path in the file that does not exist. Paths are relative to `root`."""
    for index, ca in enumerate(config.extraCAs):
        if not (root / ca).is_file():
            yield _missing(("extraCAs", index), "file", ca, root)
    if config.ingress.custom:
        yield from _manifests(
            config.ingress.custom.manifests, ("ingress", "custom", "manifests"), root
        )
    for index, app in enumerate(config.apps):
        yield from _manifests(app.manifests, ("apps", index, "manifests"), root)
        for place, build in enumerate(app.build):
            path: FieldPath = ("apps", index, "build", place, "context")
            context = root / build.context
            if not context.is_dir():
                yield _missing(path, "folder", build.context, root)
            elif not (context / build.dockerfile).is_file():
                message = f"there is no {build.dockerfile} in {build.context!r}"
                yield FieldProblem(path, message, "set `dockerfile` to its path in that folder")


def _missing(path: FieldPath, what: str, name: str, root: Path) -> FieldProblem:
    return FieldProblem(path, f"{what} {name!r} does not exist", f"relative to {root}")


def _manifests(entries: Sequence[Source], path: FieldPath, root: Path) -> Iterator[FieldProblem]:
    for index, entry in enumerate(entries):
        if isinstance(entry, ChartConfig):
            yield from _chart(entry, (*path, index), root)
        elif not (root / entry).exists():
            yield _missing((*path, index), "file or folder", entry, root)


def _chart(chart: ChartConfig, path: FieldPath, root: Path) -> Iterator[FieldProblem]:
    folder = root / chart.chart
    packed = folder.suffix == ".tgz" and folder.is_file()
    if not folder.exists():
        problem = _missing((*path, "chart"), "chart", chart.chart, root)
        if ":" in chart.chart:
            problem = problem._replace(hint=f"download it: helm pull --untar {chart.chart}")
        yield problem
    elif not packed and not (folder / "Chart.yaml").is_file():
        message = f"{chart.chart!r} is not a Helm chart"
        yield FieldProblem((*path, "chart"), message, "the folder contains no Chart.yaml")
    for index, file in enumerate(chart.values):
        if not (root / file).is_file():
            yield _missing((*path, "values", index), "file", file, root)
