"""Kustomizations and charts: which program renders them, what is made of its output, and the places."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kindctl.actions.images import provide_images
from kindctl.config.load import load
from kindctl.errors import ConfigError, MachineError
from kindctl.images.pins import HELM, node_reference
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.rendering import Programs
from kindctl.manifests.sources import nested
from kindctl.planning.parts import parts_of
from kindctl.schema import ChartConfig, Source
from tests.fakes.engine import FakeEngine
from tests.fakes.host import Failed, FakeHost
from tests.fakes.steps import Journal
from tests.fakes.tools import fake_tools
from tests.support.machine import fit_machine

WEB = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
"""
HOOK = """\
apiVersion: batch/v1
kind: Job
metadata: {name: NAME, annotations: {"helm.sh/hook": "HOOKS"}}
spec: {template: {spec: {containers: []}}}
"""


class Recorder:
    """A program that says `output` and keeps what it was asked."""

    def __init__(self, output: str = WEB) -> None:
        self.output = output
        self.calls: list[list[str]] = []
        self.given: list[str] = []

    def __call__(self, arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        self.calls.append(list(arguments))
        self.given.append(stdin)
        return self.output


def programs(root: Path, image: str = "", **there: Recorder) -> Programs:
    """`there`: what is on PATH; `image`: one of the engine that has the others."""
    host = FakeHost()
    host.programs |= there
    return Programs(host, root, lambda: image or None, lambda: image or None, "1.36")


def read(root: Path, entry: Source, render: Programs | None) -> list[Manifest]:
    return read_manifests(root, [entry], "shop", release="app", render=render)


def problem(root: Path, entry: Source, render: Programs | None) -> tuple[str, int, str, str]:
    with pytest.raises(ConfigError) as caught:
        read(root, entry, render)
    (found,) = caught.value.problems
    return found.file, found.line, found.message, found.hint


def kustomization(root: Path) -> Path:
    folder = root / "kust"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (folder / "web.yaml").write_text("not: an object, and not read\n")
    return folder


# --- kustomizations ------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["kust", "kust/kustomization.yaml"])
def test_a_kustomization_is_rendered_by_kubectl(tmp_path: Path, entry: str) -> None:
    folder = kustomization(tmp_path)
    kubectl, kustomize = Recorder(), Recorder()
    (found,) = read(tmp_path, entry, programs(tmp_path, kubectl=kubectl, kustomize=kustomize))
    assert kubectl.calls == [["kustomize", str(folder)]]
    assert kustomize.calls == []
    assert (found.name, found.namespace, found.file) == ("web", "shop", str(folder))
    assert found.place(("spec", "ports")) == (0, 0)  # lines of what was rendered say nothing
    assert str(found.problem("is wrong")) == f"{folder}: is wrong"


def test_without_kubectl_kustomize_renders_or_an_image_of_the_engine(tmp_path: Path) -> None:
    folder = kustomization(tmp_path)
    docker, kustomize = Recorder(), Recorder()
    read(tmp_path, "kust", programs(tmp_path, "node:1", docker=docker, kustomize=kustomize))
    assert kustomize.calls == [["build", str(folder)]]
    assert docker.calls == []
    read(tmp_path, "kust", programs(tmp_path, "node:1", docker=docker))
    (call,) = docker.calls
    assert call[-5:] == ["--entrypoint", "kubectl", "node:1", "kustomize", str(folder)]
    assert call[:2] == ["run", "--rm"]
    assert [word for word in call if "volume" in word] == [f"--volume={tmp_path}:{tmp_path}:ro"]
    assert call[call.index("--network") + 1] == "none"


HELM_SAYS = """\
level=WARN msg="old"
Error: web/templates/a.yaml:1:15
  executing "web/templates/a.yaml" at <.Values.x.y>:
    nil pointer

Use --debug flag to render out invalid YAML
"""


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "# Warning: old\nerror: accumulating: no such file 'x'\n",
            "accumulating: no such file 'x'",
        ),
        ('E1124 09:57:12.5 304 run.go:72] "command failed" err="no such file"\n', "no such file"),
        (
            HELM_SAYS,
            'web/templates/a.yaml:1:15 executing "web/templates/a.yaml" at <.Values.x.y>: nil pointer',
        ),
        ("something else\nhappened\n", "happened"),
    ],
)
def test_a_programs_error_is_reported_with_the_folder(
    tmp_path: Path, output: str, said: str
) -> None:
    def fails(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        raise Failed(1, output)

    folder, host = kustomization(tmp_path), FakeHost()
    host.programs["kubectl"] = fails
    render = Programs(host, tmp_path, lambda: None, lambda: None)
    message = f"'kust' cannot be rendered: {said}"
    hint = "the message is from the program that renders it"
    assert problem(tmp_path, "kust", render) == (str(folder), 0, message, hint)


def test_rendered_objects_are_checked_like_any_manifest(tmp_path: Path) -> None:
    folder = kustomization(tmp_path)
    render = programs(tmp_path, kubectl=Recorder("kind: Service\n"))
    place = (str(folder), 0)
    assert problem(tmp_path, "kust", render)[:3] == (*place, "object without apiVersion")
    render = programs(tmp_path, kubectl=Recorder(WEB + "---\n" + WEB))
    assert problem(tmp_path, "kust", render) == (
        *place,
        "Service shop/web is defined twice",
        f"first in {folder}",
    )
    render = programs(tmp_path, kubectl=Recorder(WEB.replace("port: 80", "port: x")))
    message = "Service web: spec.ports[0].port must be a number, not text"
    assert problem(tmp_path, "kust", render)[:3] == (*place, message)
    render = programs(tmp_path, kubectl=Recorder("{apiVersion: v1, kind: List, items: x}"))
    message = "items must be a list, not text"
    assert problem(tmp_path, "kust", render)[:3] == (*place, message)
    render = programs(tmp_path, kubectl=Recorder("a: [\n"))
    assert problem(tmp_path, "kust", render)[2].startswith("invalid YAML")


# --- charts --------------------------------------------------------------------------------------


def test_a_chart_is_rendered_with_its_release_namespace_and_values(tmp_path: Path) -> None:
    helm = Recorder()
    chart = ChartConfig(
        chart="chart",
        name="web",
        values=("a.yaml", "b.yaml"),
        set={"image.tag": "1.10", "replicas": 2},
    )
    read(tmp_path, chart, programs(tmp_path, helm=helm))
    (call,) = helm.calls
    assert call[:3] == ["template", "web", str(tmp_path / "chart")]
    options = list(pairwise(call))
    assert ("--namespace", "shop") in options
    assert ("--kube-version", "1.36.0") in options
    assert "--include-crds" in call
    files = [value for option, value in options if option == "--values"]
    assert files == [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), "-"]
    assert json.loads(helm.given[0]) == {"image": {"tag": "1.10"}, "replicas": 2}
    assert "1.10" not in " ".join(call)  # single values may be secret


def test_a_release_is_called_like_its_app_unless_it_has_a_name(tmp_path: Path) -> None:
    helm = Recorder()
    read(tmp_path, ChartConfig(chart="chart"), programs(tmp_path, helm=helm))
    assert helm.calls[0][1] == "app"


def test_a_chart_is_rendered_by_an_image_where_helm_is_missing(tmp_path: Path) -> None:
    docker = Recorder()
    read(
        tmp_path,
        ChartConfig(chart="chart", set={"a": 1}),
        programs(tmp_path, "helm:4", docker=docker),
    )
    (call,) = docker.calls
    place = call.index("helm:4")
    assert call[place - 2 : place + 3] == ["--entrypoint", "helm", "helm:4", "template", "app"]
    assert "--interactive" in call  # the single values come by standard input
    assert json.loads(docker.given[0]) == {"a": 1}


def test_a_container_sees_what_lies_outside_of_the_folder(tmp_path: Path) -> None:
    docker, root = Recorder(), tmp_path / "root"
    root.mkdir()
    chart = ChartConfig(chart="../chart", values=("inside.yaml", "../outside.yaml"))
    read(root, chart, programs(root, "helm:4", docker=docker))
    seen = [word.split(":")[1] for word in docker.calls[0] if word.startswith("--volume=")]
    assert seen == [str(root), str(tmp_path / "chart"), str(tmp_path / "outside.yaml")]


def test_the_place_of_an_object_from_a_chart_is_its_template(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    text = f"---\n# Source: shop/templates/web.yaml\n{WEB}---\n# Source: shop/charts/db/templates/x.yaml\n"
    render = programs(tmp_path, helm=Recorder(text + "kind: x\n"))
    file, line, message, _ = problem(tmp_path, ChartConfig(chart="chart"), render)
    assert (file, line) == (str(tmp_path / "chart/charts/db/templates/x.yaml"), 0)
    assert message == "object without apiVersion"
    (web,) = read(tmp_path, ChartConfig(chart="chart"), programs(tmp_path, helm=Recorder(text)))
    assert web.file == str(tmp_path / "chart/templates/web.yaml")


def test_hooks_of_an_install_are_applied_and_others_are_left_out(tmp_path: Path) -> None:
    hooks = {
        "migrate": "pre-install,pre-upgrade",
        "seed": "post-install",
        "crd": "crd-install",
        "smoke": "test",
        "old-smoke": "test-success",
        "before": "pre-upgrade",
        "clean": "post-delete, pre-rollback",
    }
    text = "---\n".join(
        HOOK.replace("NAME", name).replace("HOOKS", kinds) for name, kinds in hooks.items()
    )
    found = read(tmp_path, ChartConfig(chart="chart"), programs(tmp_path, helm=Recorder(text)))
    assert [manifest.name for manifest in found] == ["migrate", "seed", "crd"]
    (tmp_path / "plain.yaml").write_text(text)
    assert len(read(tmp_path, "plain.yaml", None)) == len(hooks)  # rendered by somebody else


@pytest.mark.parametrize(
    ("single", "values"),
    [
        ({}, {}),
        ({"a": 1, "b.c": [1]}, {"a": 1, "b": {"c": [1]}}),
        ({"a.b": 1, "a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}, "a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1, "a.b": 2}, {"a": {"b": 2}}),
        ({r"labels.example\.com/team": "x"}, {"labels": {"example.com/team": "x"}}),
    ],
)
def test_dots_lead_into_values(single: dict[str, object], values: dict[str, object]) -> None:
    given = json.dumps(single)
    assert nested(single) == values
    assert json.dumps(single) == given  # left as it was


# --- what the file says --------------------------------------------------------------------------


def write(root: Path, entries: str, host: FakeHost | None = None) -> Path:
    file = root / "kindctl.yaml"
    file.write_text(f"name: shop\napps:\n- name: shop\n  manifests:\n{entries}")
    (root / "chart").mkdir(exist_ok=True)
    (root / "chart/Chart.yaml").write_text("name: web\n")
    (root / "kust").mkdir(exist_ok=True)
    (root / "kust/kustomization.yaml").write_text("resources: []\n")
    return file


def faults(file: Path, engine: FakeEngine | None = None) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        parts_of(load(file), fake_tools(engine=engine))
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    return [(p.line, p.message, p.hint) for p in caught.value.problems]


def test_without_programs_the_entry_is_refused_with_its_place(tmp_path: Path) -> None:
    file = write(tmp_path, "  - ./kust\n  - chart: ./chart\n")
    engine = FakeEngine(problem=MachineError("no engine", code="engine-down"))
    for there in (FakeEngine(), engine):
        first, second = faults(file, there)
        assert first[:2] == (5, "rendering a kustomization needs kubectl or kustomize")
        assert "`kindctl images pull node` (or `build node`)" in first[2]
        assert second[:2] == (6, "rendering a Helm chart needs helm")
        assert "`kindctl images pull helm` (or `build helm`)" in second[2]


@pytest.mark.parametrize(
    ("entries", "message", "hint"),
    [
        ("  - {chart: ./char}\n", "chart './char' does not exist", ""),
        (
            "  - {chart: ./kust}\n",
            "'./kust' is not a Helm chart",
            "the folder contains no Chart.yaml",
        ),
        ("  - {chart: 'oci://example.com/web'}\n", "chart 'oci://", "helm pull --untar oci://"),
        ("  - {chart: ./chart, values: [a.yaml]}\n", "file 'a.yaml' does not exist", ""),
        ("  - {chart: ./chart, values: a.yaml}\n", "values", ""),
        ("  - {chart: ./chart, sets: {a: 1}}\n", "unknown key", "did you mean 'set'?"),
        ("  - 1\n", "apps[0].manifests[0]: 1", ""),
    ],
)
def test_what_is_wrong_with_an_entry(tmp_path: Path, entries: str, message: str, hint: str) -> None:
    ((line, said, advice),) = faults(write(tmp_path, entries))
    assert line == 5
    assert message in said
    assert hint in advice


def test_a_chart_that_is_named_as_a_folder_is_pointed_out(tmp_path: Path) -> None:
    file = write(tmp_path, "  - ./chart\n")
    with pytest.raises(ConfigError) as caught:
        parts_of(load(file), fake_tools())
    (found,) = caught.value.problems
    assert (found.line, found.message) == (5, "'./chart' is a Helm chart")
    assert found.hint == "write {chart: ./chart}"


def test_images_of_the_engine_serve_where_programs_are_missing(tmp_path: Path) -> None:
    engine, host, docker = FakeEngine(), FakeHost(), Recorder()
    host.programs["docker"] = docker
    tools = fake_tools(host, engine)
    for reference in (HELM, node_reference("1.36")):
        engine.add_image(reference, engine.make_image(reference, {}))
    file = write(tmp_path, "  - {chart: ./chart, name: web}\n")
    parts = parts_of(load(file), tools)
    assert [image for part in parts.components for image in part.images()]
    assert len(docker.calls) == 1  # however often the objects are asked for


def test_plain_manifests_ask_for_no_program_and_no_engine(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    file = write(tmp_path, "  - web.yaml\n")
    parts_of(load(file), fake_tools(FakeHost(programs={}), FakeEngine(problem=MachineError("no"))))


def test_images_that_render_are_found_without_reading_manifests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fit_machine(tmp_path, monkeypatch)
    world.engine.add_image(HELM)
    loaded = load(write(tmp_path, "  - {chart: ./chart}\n"))
    more: dict[str, Any] = {"emit": Journal(), "stop": threading.Event()}
    with pytest.raises(ConfigError, match="problem"):
        provide_images(loaded, world.tools, [], ["engine"], **more)
    report = provide_images(loaded, world.tools, ["helm"], ["engine"], **more)
    assert [(step.name, step.outcome) for step in report.steps] == [(f"image:{HELM}", "ready")]


def test_a_folder_without_manifests_has_its_line_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    file = write(tmp_path, "  - ./empty\n")
    with pytest.raises(ConfigError) as caught:
        parts_of(load(file), fake_tools())
    (found,) = caught.value.problems
    assert (found.file, found.line, found.column) == (str(file), 5, 5)
    assert found.message == "no manifests in folder './empty'"
