"""Images that are built by recipes: in which order, when again, and one at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kindctl.errors import KindctlError, MachineError
from kindctl.images import bootstrap, cas
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources import load_source
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.build import BuildSource, Queue
from kindctl.models import Turn
from tests.support.images_bench import CORPORATE_CA, Bench, write_recipes


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    return RecipeBook(write_recipes(tmp_path / "recipes"))


def source_context(bench: Bench, book: RecipeBook) -> SourceContext:
    return SourceContext(bench.tools, {}, book)


def quiet(text: str) -> None:
    pass


@pytest.fixture
def debian(bench: Bench) -> Bench:
    bench.engine.add_image(bootstrap.ROOTFS)
    return bench


def test_what_a_recipe_needs_is_built_first(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", source_context(debian, book))
    provided = source.provide("kindest/node:v1.36", quiet)
    tags = [book.tag(book.get(name)) for name in ("debian", "go", "node")]
    assert [build.tag for build in debian.engine.built] == tags
    assert provided.name == tags[-1]
    assert provided.done == tuple(f"built {tag}" for tag in tags)
    node = debian.engine.built[-1]
    assert node.contexts == {
        "debian": f"docker-image://{tags[0]}",
        "go": f"docker-image://{tags[1]}",
    }
    assert node.args == {"VERSION": "1.36.3"}


def test_what_is_built_is_found_and_stays(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", source_context(debian, book))
    name = source.provide("python:3.13-slim", quiet).name
    count = len(debian.engine.built)
    assert source.find("python:3.13-slim-bookworm") == name
    assert source.provide("python:3.13-slim", quiet).done == ()
    assert len(debian.engine.built) == count


def test_a_removed_image_is_built_alone(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", source_context(debian, book))
    source.provide("kindest/node:v1.36", quiet)
    tag = source.provide("python:3.13-slim", quiet).name
    debian.engine.remove_image(tag)
    assert source.provide("python:3.13-slim", quiet).done == (f"built {tag}",)


def test_an_edited_recipe_is_built_alone(debian: Bench, book: RecipeBook) -> None:
    load_source("build", source_context(debian, book)).provide("kindest/node:v1.36", quiet)
    (book.folder / "node" / "Dockerfile").write_text("FROM debian\nFROM go\nRUN true\n")
    edited = RecipeBook(book.folder)
    source = load_source("build", source_context(debian, edited))
    assert source.find("kindest/node:v1.36") is None
    provided = source.provide("kindest/node:v1.36", quiet)
    assert provided.done == (f"built {edited.tag(edited.get('node'))}",)


def test_what_a_present_image_was_made_from_is_not_missed(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", source_context(debian, book))
    source.provide("kindest/node:v1.36", quiet)
    debian.engine.remove_image(book.tag(book.get("go")))
    assert source.provide("kindest/node:v1.36", quiet).done == ()


def test_no_upstream_name_is_ever_given_to_what_is_built(debian: Bench, book: RecipeBook) -> None:
    load_source("build", source_context(debian, book)).provide("kindest/node:v1.36", quiet)
    tags = [tag for image in debian.engine.images() for tag in image.tags]
    assert tags
    assert all(tag.startswith("kindctl.local/") for tag in tags)


def test_a_reference_without_a_recipe_is_not_built(bench: Bench, book: RecipeBook) -> None:
    with pytest.raises(KindctlError) as caught:
        load_source("build", source_context(bench, book)).provide("redis:7", quiet)
    assert caught.value.code == "image-unavailable"


def test_a_build_that_fails_says_which_and_why(debian: Bench, book: RecipeBook) -> None:
    tag = book.tag(book.get("python"))
    debian.engine.build_failures[tag] = (
        "#7 1.2 E: Unable to locate package python3\n"
        'ERROR: failed to solve: process "/bin/sh -c apt-get install" did not complete'
    )
    with pytest.raises(KindctlError) as caught:
        load_source("build", source_context(debian, book)).provide("python:3.13-slim", quiet)
    assert caught.value.code == "image-build"
    assert "python" in caught.value.what
    assert caught.value.why.startswith("failed to solve")
    assert "Unable to locate" in caught.value.output


def test_a_full_disk_ends_the_search(debian: Bench, book: RecipeBook) -> None:
    tag = book.tag(book.get("python"))
    debian.engine.build_failures[tag] = "ERROR: write /x: no space left on device"
    with pytest.raises(MachineError) as caught:
        load_source("build", source_context(debian, book)).provide("python:3.13-slim", quiet)
    assert caught.value.code == "disk-full"


def test_cas_go_into_the_base_and_are_labelled_in_all(debian: Bench, tmp_path: Path) -> None:
    extra = {"corp.crt": CORPORATE_CA}
    book = RecipeBook(write_recipes(tmp_path / "recipes"), extra_cas=extra)
    name = (
        load_source("build", source_context(debian, book)).provide("python:3.13-slim", quiet).name
    )
    image = debian.engine.image(name)
    assert image
    assert cas.carries_cas(image) == cas.fingerprints(extra)
    assert debian.engine.built[0].contexts["rootfs"] == f"docker-image://{bootstrap.ROOTFS}"


def test_builds_wait_for_one_another_and_are_not_done_twice(
    debian: Bench, book: RecipeBook
) -> None:
    source = BuildSource(source_context(debian, book))
    threads = [
        threading.Thread(target=source.provide, args=(reference, quiet))
        for reference in ("python:3.13-slim", "kindest/node:v1.36", "python:3.13-slim")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    tags = [build.tag for build in debian.engine.built]
    assert sorted(tags) == sorted(book.tag(recipe) for recipe in book.recipes.values())


def test_the_longest_of_the_waiting_builds_is_next() -> None:
    queue, order = Queue(), []
    arrived = threading.Semaphore(0)

    def build(seconds: float) -> None:
        def say(text: str) -> None:
            if text is Turn.WAITING:
                arrived.release()

        with queue.turn(seconds, say):
            order.append(seconds)

    threads = [threading.Thread(target=build, args=(seconds,)) for seconds in (10, 480, 25)]
    with queue.turn(1, quiet):
        for thread in threads:
            thread.start()
        for _ in threads:
            assert arrived.acquire(timeout=20)
    for thread in threads:
        thread.join(20)
    assert order == [480, 25, 10]


def test_a_build_that_fails_gives_its_turn_away() -> None:
    queue = Queue()
    with pytest.raises(ValueError, match="broken"), queue.turn(1, quiet):
        raise ValueError("broken")
    said: list[str] = []
    with queue.turn(1, said.append):
        assert said == [Turn.TAKEN]


def test_a_recipe_tells_the_time_of_what_it_needs_too(debian: Bench, book: RecipeBook) -> None:
    said: list[str] = []
    load_source("build", source_context(debian, book)).provide("kindest/node:v1.36", said.append)
    assert said[0] is Turn.TAKEN
    assert said[1].startswith("debian: ")
    assert "about 9 min left" in said[1], "45 + 15 + 480 s"
