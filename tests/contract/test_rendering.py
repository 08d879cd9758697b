"""Kustomizations and charts by the fakes, by the programs of this machine, and by those in images."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kindctl.errors import ConfigError
from kindctl.images.pins import HELM, node_reference
from kindctl.images.store import Images
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.rendering import Programs
from kindctl.schema import ChartConfig, Source
from kindctl.tools.host import RealHost
from kindctl.tools.protocols import Host
from kindctl.tools.real import real_tools
from tests import ROOT
from tests.fakes.host import FakeHost
from tests.fakes.renderers import RENDERERS

APPS = ROOT / "configs" / "apps"
GREETING = ChartConfig(
    chart="greeting/chart",
    name="hello",
    values=("greeting/values.yaml",),
    set={"greeting.name": "you"},
)


class Bare(RealHost):
    """This machine, had it neither kubectl nor helm."""

    def which(self, program: str) -> str | None:
        return None if program in ("kubectl", "kustomize", "helm") else super().which(program)


@pytest.fixture(scope="module")
def images() -> Images:
    """With helm's own, and the node's, in the engine: built, or pulled where there is a registry."""
    for name in ("helm", "node"):
        subprocess.run(
            [sys.executable, "-m", "kindctl", "images", "build", name], check=True, cwd=ROOT
        )
    tools = real_tools()
    return Images(tools, extra_cas=tools.host.trusted_cas())


@pytest.fixture(params=["fakes", "programs", "images"])
def render(request: pytest.FixtureRequest) -> Iterator[Programs]:
    if request.param == "fakes":
        fake = FakeHost()
        fake.programs |= RENDERERS
        yield Programs(fake, ROOT, lambda: None, lambda: None, "1.36")
        return
    images: Images = request.getfixturevalue("images")
    here = RealHost()
    host: Host = here if request.param == "programs" and here.which("kubectl") else Bare()
    yield Programs(
        host,
        ROOT,
        lambda: images.resolve(node_reference("1.36")),
        lambda: images.resolve(HELM),
        "1.36",
    )


def read(render: Programs, *entries: Source, root: Path = APPS) -> list[Manifest]:
    return read_manifests(root, entries, "demo", release="demo", render=render)


def names(found: Sequence[Manifest]) -> list[str]:
    return sorted(str(manifest) for manifest in found)


def one(found: Sequence[Manifest], kind: str) -> Manifest:
    (manifest,) = (m for m in found if m.kind == kind)
    return manifest


def test_an_overlay_and_what_it_generates(render: Programs) -> None:
    found = read(render, "pages/dev")
    generated = one(found, "ConfigMap").name
    assert generated == "html-hd9m54mbg2"
    assert names(found) == [
        f"ConfigMap demo/{generated}",
        "Deployment demo/pages",
        "Ingress demo/pages",
        "Service demo/pages",
    ]
    spec = one(found, "Deployment").obj["spec"]
    assert spec["replicas"] == 1
    (volume,) = spec["template"]["spec"]["volumes"]
    assert volume["configMap"] == {"name": generated}
    assert "developer" in one(found, "ConfigMap").obj["data"]["index.html"]
    assert {manifest.file for manifest in found} == {str(APPS / "pages/dev")}


def test_a_chart_with_its_values(render: Programs) -> None:
    found = read(render, GREETING)
    assert names(found) == [
        "ConfigMap demo/hello",
        "Deployment demo/hello",
        "Ingress demo/hello",
        "Service demo/hello",
    ]  # without the Pod of its test
    assert "Good morning, you!" in one(found, "ConfigMap").obj["data"]["index.html"]
    (rule,) = one(found, "Ingress").obj["spec"]["rules"]
    assert rule["host"] == "greeting.localhost"
    templates = APPS / "greeting/chart/templates"
    assert one(found, "Ingress").file == str(templates / "service.yaml")
    assert one(found, "Deployment").file == str(templates / "deployment.yaml")


def test_what_cannot_be_rendered_is_said_in_the_programs_words(
    render: Programs, tmp_path: Path
) -> None:
    chart, folder = tmp_path / "chart", tmp_path / "kust"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: bad\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text("")
    (chart / "templates" / "a.yaml").write_text("a: {{ .Values.x.y }\n")
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    render = Programs(
        render.host, tmp_path, render.kubectl_image, render.helm_image, render.kubernetes
    )
    with pytest.raises(ConfigError) as caught:
        read(render, "kust", ChartConfig(chart="chart"), root=tmp_path)
    first, second = caught.value.problems
    assert (first.file, second.file) == (str(chart), str(folder))
    assert first.message.startswith("'chart' cannot be rendered: ")
    assert "a.yaml" in first.message
    assert "missing.yaml" in second.message
    assert "accumulating resources" in second.message
