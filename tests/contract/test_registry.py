"""Images from a registry, against a real one: Debian's docker-registry in a container of the engine.

It is the mirror of docker.io here, so that references are those of a machine that reaches the registries.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from kindctl.errors import KindctlError
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.build import BuildSource
from kindctl.images.store import Images
from kindctl.tools.net import RealNet
from kindctl.tools.protocols import Tools
from kindctl.tools.real import real_tools
from tests.support.benches import TEST_LABEL


@dataclass
class Said:
    lines: list[str] = field(default_factory=list)

    def reach(self, milestone: str) -> None:
        raise AssertionError(milestone)

    def say(self, text: str) -> None:
        self.lines.append(text)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def inspect(reference: str) -> dict[str, Any] | None:
    """What the engine itself says of an image."""
    done = subprocess.run(
        ["docker", "image", "inspect", reference], check=False, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout)[0]) if done.returncode == 0 else None


@dataclass
class LocalRegistry:
    """A registry on 127.0.0.1 that is the mirror of docker.io. What tests make has `label`."""

    container: str
    port: int
    label: str
    folder: Path
    tools: Tools = field(default_factory=real_tools)
    said: Said = field(default_factory=Said)

    @property
    def repository(self) -> str:
        """An upstream repository that nobody has."""
        return f"kindctl-test/{self.label}"

    def images(self) -> Images:
        mirrors = {"docker.io": f"127.0.0.1:{self.port}"}
        return Images(self.tools, ("engine", "registry"), mirrors)

    def publish(self, tag: str, content: str, *, platform: str = "") -> tuple[str, str]:
        """Build an image from nothing, push it, forget it here; its digest and its ID."""
        (self.folder / "content").write_text(content)
        (self.folder / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
        name = f"127.0.0.1:{self.port}/{self.repository}:{tag}"
        options = [f"--platform={platform}"] if platform else []
        options += [f"--label={TEST_LABEL}={self.label}", "--provenance=false", "--load"]
        docker("buildx", "build", "--quiet", *options, f"--tag={name}", str(self.folder))
        docker("push", "--quiet", name)
        found = inspect(name)
        assert found
        (digest,) = found["RepoDigests"]
        docker("image", "rm", "--force", found["Id"])
        assert inspect(name) is None
        return digest.partition("@")[2], found["Id"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    tools = real_tools()
    book = RecipeBook(extra_cas=tools.host.trusted_cas())
    source = BuildSource(SourceContext(tools, {}, book))
    image = source.provide_recipe(book.get("registry"), lambda _: None).name
    label = f"test-{uuid.uuid4().hex[:8]}"
    container = docker(
        "run", "--detach", f"--label={TEST_LABEL}={label}", "--publish=127.0.0.1::5000", image
    )
    try:
        port = int(docker("port", container, "5000/tcp").rpartition(":")[2])
        until_answering(port)
        yield LocalRegistry(container, port, label, tmp_path_factory.mktemp("context"))
    finally:
        docker("rm", "--force", "--volumes", container)
        mine = docker(
            "image", "ls", "--quiet", "--no-trunc", f"--filter=label={TEST_LABEL}={label}"
        )
        if mine:
            docker("image", "rm", "--force", *dict.fromkeys(mine.split()))


def until_answering(port: int) -> None:
    retrying = Retrying(
        retry=retry_if_not_result(bool), stop=stop_after_delay(20), wait=wait_fixed(0.1)
    )
    retrying(RealNet().reachable, f"http://127.0.0.1:{port}/v2/")


def test_an_image_is_pulled_by_digest_and_named_as_upstream_names_it(server: LocalRegistry) -> None:
    digest, id_ = server.publish("1", "by digest")
    reference = f"{server.repository}:1@{digest}"
    images = server.images()
    assert images.resolve(reference) is None

    provided = images.provide(reference, server.said)
    assert provided.name == f"{server.repository}:1"
    assert provided.done == (f"pulled 127.0.0.1:{server.port}/{server.repository}@{digest}",)
    found = inspect(provided.name)
    assert found
    assert found["Id"] == id_
    assert images.resolve(reference) == provided.name
    assert images.provide(reference, server.said).done == ()
    assert server.images().rows([reference])[0].source == "registry"


def test_a_tag_that_moved_does_not_move_a_digest(server: LocalRegistry) -> None:
    old, old_id = server.publish("moving", "old")
    new, new_id = server.publish("moving", "new")
    assert old != new
    images = server.images()
    assert images.provide(f"{server.repository}:moving", server.said).name.endswith(":moving")
    found = inspect(f"{server.repository}:moving")
    assert found
    assert found["Id"] == new_id

    reference = f"{server.repository}:moving@{old}"
    assert images.resolve(reference) is None, "the tag in the engine is another image's"
    name = images.provide(reference, server.said).name
    assert name.startswith("kindctl.local/pinned/")
    pinned, kept = inspect(name), inspect(f"{server.repository}:moving")
    assert pinned
    assert kept
    assert pinned["Id"] == old_id
    assert kept["Id"] == new_id
    assert images.resolve(reference) == name


def test_what_the_registry_does_not_have_is_refused_at_once(server: LocalRegistry) -> None:
    with pytest.raises(KindctlError) as caught:
        server.images().provide(f"{server.repository}:nothing", server.said)
    assert caught.value.code == "image-pull"
    assert not any("trying again" in line for line in server.said.lines)


def test_an_image_for_another_architecture_is_refused(server: LocalRegistry) -> None:
    here = server.tools.engine.info().architecture
    other = "arm64" if here == "amd64" else "amd64"
    server.publish("foreign", "foreign", platform=f"linux/{other}")
    with pytest.raises(KindctlError) as caught:
        server.images().provide(f"{server.repository}:foreign", server.said)
    assert caught.value.code in ("exec-format", "image-pull")
    assert server.images().resolve(f"{server.repository}:foreign") is None


def test_an_image_that_only_its_digest_names_here_gets_a_tag(server: LocalRegistry) -> None:
    digest, id_ = server.publish("direct", "direct")
    name = f"127.0.0.1:{server.port}/{server.repository}"
    docker("pull", "--quiet", f"{name}@{digest}")
    images = Images(server.tools, ("engine",))
    reference = f"{name}:direct@{digest}"
    assert images.resolve(reference) is None, "a node could not know it by a name"
    assert images.provide(reference, server.said).name == f"{name}:direct"
    found = inspect(f"{name}:direct")
    assert found
    assert found["Id"] == id_


def test_a_registry_that_has_gone_is_said_so_soon(server: LocalRegistry) -> None:
    docker("stop", "--time=1", server.container)
    with pytest.raises(KindctlError) as caught:
        server.images().provide(f"{server.repository}:later", server.said)
    assert caught.value.code == "image-unavailable"
    assert f"127.0.0.1:{server.port} cannot be reached" in caught.value.why
