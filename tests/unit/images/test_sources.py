"""The sources of images, one by one: what each finds, gets, verifies, and says when it cannot."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kindctl.errors import KindctlError
from kindctl.images.pins import GATEWAY_API, NODES
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources import SOURCES, load_source
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.registry import ATTEMPTS, Probes, RegistrySource
from tests.fakes.net import FakeNet
from tests.support.images_bench import (
    DIGEST,
    HUB,
    OTHER_DIGEST,
    Bench,
    PickyEngine,
    write_recipes,
)

PINNED = f"postgres:17@{DIGEST}"


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    return RecipeBook(write_recipes(tmp_path / "recipes"))


def source_context(
    bench: Bench, book: RecipeBook, mirrors: dict[str, str] | None = None
) -> SourceContext:
    return SourceContext(bench.tools, mirrors or {}, book)


def no_pause(seconds: float) -> None:
    assert 0 < seconds < 60


def quiet(text: str) -> None:
    pass


def test_every_source_that_the_configuration_knows_can_be_loaded(
    bench: Bench, book: RecipeBook
) -> None:
    from typing import get_args

    from kindctl.schema import ImagesConfig

    (known, _) = get_args(ImagesConfig.model_fields["sources"].annotation)
    assert set(get_args(known)) == set(SOURCES)
    for name in SOURCES:
        assert load_source(name, source_context(bench, book)).name == name


# --- engine --------------------------------------------------------------------------------------


def test_the_engine_serves_what_it_has_by_that_name(bench: Bench, book: RecipeBook) -> None:
    source = load_source("engine", source_context(bench, book))
    assert source.find("postgres:17") is None
    bench.engine.add_image("postgres:17")
    assert source.find("docker.io/library/postgres:17") == "postgres:17"
    assert source.provide("postgres:17", quiet).done == ()


def test_a_digest_decides_not_the_tag(bench: Bench, book: RecipeBook) -> None:
    source = load_source("engine", source_context(bench, book))
    moved = replace(bench.engine.make_image("x"), digests=(f"postgres@{OTHER_DIGEST}",))
    bench.engine.add_image("postgres:17", moved)
    assert source.find(PINNED) is None
    with pytest.raises(KindctlError, match="different digest"):
        source.provide(PINNED, quiet)

    right = replace(bench.engine.make_image("y"), digests=(f"mirror.example.com/p@{DIGEST}",))
    bench.engine.add_image("postgres:17", right)
    assert source.find(PINNED) == "postgres:17"


def test_what_came_from_an_archive_is_taken_and_said(bench: Bench, book: RecipeBook) -> None:
    bench.engine.add_image("postgres:17")
    said: list[str] = []
    source = load_source("engine", source_context(bench, book))
    assert source.provide(PINNED, said.append).name == "postgres:17"
    assert "cannot be verified" in said[0]


def test_an_image_known_by_digest_only_gets_a_name_for_the_nodes(
    bench: Bench, book: RecipeBook
) -> None:
    image = replace(bench.engine.make_image("y"), digests=(f"postgres@{DIGEST}",))
    bench.engine.add_image(f"postgres@{DIGEST}", image)
    source = load_source("engine", source_context(bench, book))
    assert source.provide(PINNED, quiet).name == "postgres:17"
    assert source.find(PINNED) == "postgres:17"


def test_another_architecture_is_refused_before_it_is_deployed(
    bench: Bench, book: RecipeBook
) -> None:
    image = replace(bench.engine.make_image("x"), architecture="arm64")
    bench.engine.add_image("postgres:17", image)
    source = load_source("engine", source_context(bench, book))
    assert source.find("postgres:17") is None
    with pytest.raises(KindctlError) as caught:
        source.provide("postgres:17", quiet)
    assert caught.value.code == "exec-format"
    assert "arm64" in caught.value.what
    assert "amd64" in caught.value.what


# --- registry ------------------------------------------------------------------------------------


def test_a_registry_is_pulled_from_by_digest_and_named_by_tag(
    bench: Bench, book: RecipeBook
) -> None:
    bench.online().publish(f"postgres@{DIGEST}", digest=DIGEST)
    source = RegistrySource(source_context(bench, book))
    provided = source.provide(PINNED, quiet)
    assert provided.name == "postgres:17"
    assert provided.done == (f"pulled postgres@{DIGEST}",)
    found = bench.engine.image("postgres:17")
    assert found
    assert found.digests == (f"postgres@{DIGEST}",)


def test_a_tag_of_the_users_is_not_taken_for_a_digest(bench: Bench, book: RecipeBook) -> None:
    users = replace(bench.engine.make_image("mine"), digests=(f"postgres@{OTHER_DIGEST}",))
    users = bench.engine.add_image("postgres:17", users)
    bench.online().publish(f"postgres@{DIGEST}", digest=DIGEST)
    source = RegistrySource(source_context(bench, book))

    name = source.provide(PINNED, quiet).name
    assert name == f"kindctl.local/pinned/library/postgres:17-{'a' * 12}"
    assert source.find(PINNED) == name
    kept = bench.engine.image("postgres:17")
    assert kept
    assert kept.id == users.id


def test_a_digest_that_does_not_come_is_no_image(bench: Bench, book: RecipeBook) -> None:
    bench.online().publish(f"postgres@{DIGEST}", digest=OTHER_DIGEST)
    with pytest.raises(KindctlError) as caught:
        RegistrySource(source_context(bench, book)).provide(PINNED, quiet)
    assert caught.value.code == "image-pull"
    assert bench.engine.image("postgres:17") is None


def test_the_role_of_a_minor_version_is_pulled_as_its_pinned_patch(
    bench: Bench, book: RecipeBook
) -> None:
    digest = NODES["1.36.4"]
    bench.online().publish(f"kindest/node@{digest}", digest=digest)
    source = RegistrySource(source_context(bench, book))
    assert source.provide("kindest/node:v1.36", quiet).name == "kindest/node:v1.36.4"
    assert source.find("kindest/node:v1.36") == "kindest/node:v1.36.4"


def test_a_mirror_is_asked_first_and_its_image_keeps_the_upstream_name(
    bench: Bench, book: RecipeBook
) -> None:
    bench.online().net.reachable_urls.add("https://mirror.example.com/v2/")
    bench.publish("mirror.example.com/hub/library/postgres:17")
    mirrors = {"docker.io": "mirror.example.com/hub"}
    source = RegistrySource(source_context(bench, book, mirrors))
    provided = source.provide("postgres:17", quiet)
    assert provided.name == "postgres:17"
    assert provided.done == ("pulled mirror.example.com/hub/library/postgres:17",)


def test_a_mirror_that_lacks_it_is_followed_by_the_registry(bench: Bench, book: RecipeBook) -> None:
    bench.online().net.reachable_urls.add("https://mirror.example.com/v2/")
    bench.publish("postgres:17")
    source = RegistrySource(source_context(bench, book, {"docker.io": "mirror.example.com"}))
    assert source.provide("postgres:17", quiet).done == ("pulled postgres:17",)


def test_what_is_only_built_is_asked_of_no_registry(book: RecipeBook) -> None:
    bench = Bench(engine=PickyEngine())
    with pytest.raises(KindctlError, match="not published"):
        RegistrySource(source_context(bench, book)).provide(GATEWAY_API, quiet)
    assert isinstance(bench.engine, PickyEngine)
    assert bench.engine.pulls == []


def test_a_registry_that_cannot_be_reached_is_not_pulled_from(book: RecipeBook) -> None:
    bench = Bench(engine=PickyEngine())
    with pytest.raises(KindctlError) as caught:
        RegistrySource(source_context(bench, book)).provide("postgres:17", quiet)
    assert caught.value.code == "image-unavailable"
    assert "docker.io cannot be reached" in caught.value.what
    assert isinstance(bench.engine, PickyEngine)
    assert bench.engine.pulls == []


@pytest.mark.parametrize(
    "words",
    [
        "toomanyrequests: You have reached your pull rate limit",
        "received unexpected HTTP status: 503 Service Unavailable",
        "read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer",
    ],
)
def test_what_passes_is_tried_again(book: RecipeBook, words: str) -> None:
    engine = PickyEngine(words, words)
    bench = Bench(engine=engine).online()
    bench.publish("postgres:17")
    said: list[str] = []
    source = RegistrySource(source_context(bench, book), pause=no_pause)
    assert source.provide("postgres:17", said.append).name == "postgres:17"
    assert len(engine.pulls) == 3
    assert any("trying again" in line for line in said)


def test_what_does_not_pass_is_given_up_after_some_attempts(book: RecipeBook) -> None:
    engine = PickyEngine(*["toomanyrequests: limit"] * 10)
    source = RegistrySource(source_context(Bench(engine=engine).online(), book), pause=no_pause)
    with pytest.raises(KindctlError) as caught:
        source.provide("postgres:17", quiet)
    assert caught.value.code == "image-pull"
    assert "docker login" in caught.value.fix
    assert len(engine.pulls) == ATTEMPTS


@pytest.mark.parametrize(
    "words",
    [
        "manifest for postgres:17 not found: manifest unknown",
        "pull access denied for postgres, repository does not exist or may require docker login",
    ],
)
def test_a_permanent_refusal_is_not_tried_again(book: RecipeBook, words: str) -> None:
    engine = PickyEngine(*[words] * 3)
    source = RegistrySource(source_context(Bench(engine=engine).online(), book), pause=no_pause)
    with pytest.raises(KindctlError) as caught:
        source.provide("postgres:17", quiet)
    assert caught.value.code == "image-pull"
    assert words in caught.value.output
    assert len(engine.pulls) == 1


def test_an_image_that_is_published_for_another_architecture_is_refused(
    bench: Bench, book: RecipeBook
) -> None:
    bench.online().publish("postgres:17", architecture="s390x")
    with pytest.raises(KindctlError) as caught:
        RegistrySource(source_context(bench, book)).provide("postgres:17", quiet)
    assert caught.value.code == "exec-format"


class CountingNet(FakeNet):
    """Notes what is asked, and answers when told to."""

    def __init__(self, *reachable: str) -> None:
        super().__init__()
        self.reachable_urls |= set(reachable)
        self.asked: list[str] = []
        self.gate = threading.Event()

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        self.asked.append(url)
        assert timeout <= 3.0
        self.gate.wait(20)
        return super().reachable(url, timeout)


def test_registries_are_probed_side_by_side_and_once() -> None:
    net = CountingNet(HUB)
    probes = Probes(net)
    probes.start("docker.io", "registry.k8s.io")
    probes.start("docker.io", "quay.io")
    deadline = threading.Event()
    while len(net.asked) < 3 and not deadline.wait(0.001):  # all three before any has answered
        pass
    net.gate.set()
    assert probes.reachable("docker.io")
    assert not probes.reachable("quay.io")
    assert probes.reachable("docker.io")
    assert sorted(net.asked) == [
        "https://quay.io/v2/",
        HUB,
        "https://registry.k8s.io/v2/",
    ]


@pytest.mark.parametrize(
    ("registry", "plain"),
    [("127.0.0.1:5000", True), ("localhost:5000", True), ("lan:5000", True), ("quay.io", False)],
)
def test_plain_http_is_for_registries_with_a_port(registry: str, plain: bool) -> None:
    net = CountingNet(f"http://{registry}/v2/")
    net.gate.set()
    assert Probes(net).reachable(registry) is plain
