"""The user's images, built by the real BuildKit: named contexts in place of bases, CAs, frontends."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kindctl.images import cas
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.build import BuildSource
from kindctl.images.store import Images
from kindctl.models import EXTRA_CAS_LABEL, AppBuild
from kindctl.tools.real import real_tools
from tests.contract.test_registry import Said, docker
from tests.support.benches import TEST_LABEL
from tests.support.certificates import authority

DIGEST = "sha256:" + "0" * 64


@dataclass
class Workshop:
    """Folders to build from; images get `label` and go with the test."""

    folder: Path
    label: str
    base: str  # an image with a shell that no registry has

    def write(self, dockerfile: str, **files: str) -> AppBuild:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Dockerfile").write_text(f"{dockerfile}\nLABEL {TEST_LABEL}={self.label}\n")
        for name, text in files.items():
            (self.folder / name).write_text(text)
        return AppBuild(f"{self.label}/app", self.folder, self.folder / "Dockerfile")

    def build(self, build: AppBuild, extra_cas: dict[str, str] | None = None) -> str:
        images = Images(real_tools(), ("engine", "build"), {}, extra_cas, [build])
        return images.provide(build.image, Said()).name

    def config(self, image: str) -> dict[str, Any]:
        return dict(json.loads(docker("image", "inspect", image))[0]["Config"])


def run(image: str, *command: str) -> str:
    return docker("run", "--rm", "--network=none", image, *command)


@pytest.fixture(scope="module")
def debian() -> str:
    """The recipe's Debian without additional CAs: it stands for an upstream image."""
    book = RecipeBook()
    source = BuildSource(SourceContext(real_tools(), {}, book))
    return source.provide_recipe(book.get("debian"), lambda _: None).name


@pytest.fixture
def workshop(debian: str, tmp_path: Path) -> Iterator[Workshop]:
    label = f"test-{uuid.uuid4().hex[:8]}"
    base = f"{label}/base:1"
    docker("image", "tag", debian, base)
    yield Workshop(tmp_path / "app", label, base)
    listed = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}").split()
    mine = [name for name in listed if label in name]
    if mine:
        subprocess.run(["docker", "image", "rm", "--force", *mine], check=True, capture_output=True)


def test_a_stand_in_takes_the_place_of_a_base_in_every_spelling(workshop: Workshop) -> None:
    dockerfile = f"""\
# syntax=docker/dockerfile:1
ARG SUITE=trixie
FROM debian:${{SUITE}}-slim AS one
RUN echo one > /one
FROM docker.io/library/debian:13-slim AS two
COPY --from=one /one /one
COPY --from=debian:trixie-slim@{DIGEST} /etc/debian_version /version
RUN --mount=type=bind,from=debian:13-slim,target=/mnt cat /mnt/etc/os-release > /os-release
"""
    image = workshop.build(workshop.write(dockerfile))
    said = run(image, "cat", "/one", "/version", "/os-release")
    assert said.splitlines()[0] == "one"
    assert "trixie" in said


def test_the_context_is_what_dockerignore_leaves_and_decides_on_a_new_build(
    workshop: Workshop,
) -> None:
    ignore = {".dockerignore": "*\n!kept\n", "kept": "1", "ignored": "1"}
    build = workshop.write(f"FROM {workshop.base}\nCOPY . /app", **ignore)
    first = workshop.build(build)
    assert run(first, "ls", "/app") == "kept"
    (build.context / "ignored").write_text("2")
    assert workshop.build(build) == first
    (build.context / "kept").write_text("2")
    second = workshop.build(build)
    assert second != first
    assert run(second, "cat", "/app/kept") == "2"


def test_cas_get_into_a_foreign_base_and_its_user_stays(workshop: Workshop) -> None:
    pem = authority().certificate
    docker_build(workshop, "FROM " + workshop.base + "\nUSER 101:101\nWORKDIR /tmp", "user")
    build = workshop.write(f"FROM {workshop.label}/user:1\nRUN id -u > /tmp/uid\n")
    image = workshop.build(build, {"corp.pem": pem})
    assert run(image, "cat", "/tmp/uid") == "101"
    config = workshop.config(image)
    assert config["User"] == "101:101"
    assert config["WorkingDir"] == "/tmp"
    assert config["Labels"][EXTRA_CAS_LABEL] == cas.label({"corp.pem": pem})
    bundle = run(image, "cat", cas.BUNDLE)
    assert pem.strip() in bundle
    assert bundle.count("BEGIN CERTIFICATE") > 100, "the distribution's own are still there"
    run(image, "ls", "/usr/local/share/ca-certificates/corp.pem.crt")

    upstream = workshop.config(f"{workshop.label}/user:1")
    assert not upstream["Labels"].get(EXTRA_CAS_LABEL)


def test_a_base_without_a_shell_is_left_as_it_is(workshop: Workshop) -> None:
    docker_build(workshop, "FROM scratch\nCOPY Dockerfile /made-of", "bare")
    build = workshop.write(f"FROM {workshop.label}/bare:1\nCOPY Dockerfile /again\n")
    image = workshop.build(build, {"corp.pem": authority().certificate})
    assert EXTRA_CAS_LABEL not in workshop.config(image)["Labels"]


def docker_build(workshop: Workshop, dockerfile: str, name: str) -> None:
    build = workshop.write(dockerfile)
    tag = f"{workshop.label}/{name}:1"
    docker("buildx", "build", "--quiet", "--load", f"--tag={tag}", str(build.context))
