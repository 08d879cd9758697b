"""Images of the user's Dockerfiles: their names and bases, and when they are built again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kindctl.errors import KindctlError
from kindctl.images import bootstrap, cas
from kindctl.images.app_builds import CONTEXT_LABEL
from kindctl.images.recipe_book import RECIPE_LABEL, RecipeBook
from kindctl.images.store import Images
from kindctl.models import AppBuild, Say
from kindctl.tools.engine_protocol import Build, ImageInfo
from kindctl.tools.engine_words import build_error
from kindctl.tools.process import failure
from tests.fakes.engine import FakeEngine
from tests.support.images_bench import CORPORATE_CA, Bench, write_recipes

PYTHON = "python:3.13-slim"


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.engine.add_image(bootstrap.ROOTFS)
    return bench


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    return RecipeBook(write_recipes(tmp_path / "recipes"))


@pytest.fixture
def shop(folder: Path) -> AppBuild:
    return AppBuild("acme/shop-backend:dev", folder, folder / "Dockerfile")


def test_a_base_with_a_stand_in_is_pointed_at_it(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    images = bench.images(book=book, builds=[shop])
    assert images.resolve("acme/shop-backend:dev") is None
    provided = images.provide("acme/shop-backend:dev", bench.heard)

    python = book.tag(book.get("python"))
    build = bench.engine.built[-1]
    assert build.contexts == {PYTHON: f"docker-image://{python}"}
    assert build.dockerfile == str(shop.dockerfile)
    assert provided.name.startswith("kindctl.local/acme/shop-backend:")
    assert provided.done[-1] == f"built {provided.name}"
    assert f"built {python}" in provided.done
    assert images.resolve("docker.io/acme/shop-backend:dev") == provided.name


def test_labels_of_a_stand_in_are_not_those_of_what_is_built_on_it(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    images = bench.images(book=book, builds=[shop])
    image = bench.engine.image(images.provide(shop.image, bench.heard).name)
    assert image
    assert image.labels[RECIPE_LABEL] == ""
    assert image.labels[CONTEXT_LABEL] == str(shop.context)


def test_it_is_built_again_only_when_something_of_it_changes(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    def provide(build: AppBuild) -> tuple[str, tuple[str, ...]]:
        provided = bench.images(book=book, builds=[build]).provide(build.image, bench.heard)
        return provided.name, provided.done

    names = [provide(shop)[0]]
    assert provide(shop) == (names[0], ())

    (shop.context / "src" / "main.py").write_text("print(2)\n")
    for build in (shop, replace(shop, target="x"), replace(shop, args={"A": "1"})):
        name, done = provide(build)
        assert done == (f"built {name}",)
        names.append(name)
    shop.dockerfile.write_text(f"FROM {PYTHON}\nCOPY src /srv\n")
    names.append(provide(shop)[0])
    (book.folder / "python" / "more").write_text("x")
    renewed = RecipeBook(book.folder)
    images = bench.images(book=renewed, builds=[shop])
    names.append(images.provide(shop.image, bench.heard).name)
    assert len(set(names)) == len(names)
    assert all(bench.engine.image(name) for name in names), "older ones stay until they are purged"


def test_a_base_that_moved_in_its_registry_is_another_image(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    images = bench.images(book=book, builds=[shop])
    bench.engine.add_image(PYTHON, bench.engine.make_image("january"))
    first = images.provide(shop.image, bench.heard).name
    bench.engine.add_image(PYTHON, bench.engine.make_image("february"))
    assert images.resolve(shop.image) is None
    assert images.provide(shop.image, bench.heard).name != first


def test_a_base_of_that_very_name_needs_no_context(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    bench.engine.add_image(PYTHON)
    bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard)
    assert bench.engine.built[-1].contexts == {}


def test_a_base_that_cannot_be_had_is_named(bench: Bench, book: RecipeBook, shop: AppBuild) -> None:
    shop.dockerfile.write_text("FROM redis:7\n")
    with pytest.raises(KindctlError) as caught:
        bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard)
    assert caught.value.code == "image-unavailable"
    assert "redis:7" in caught.value.what


def test_a_failing_build_names_the_image(bench: Bench, book: RecipeBook, shop: AppBuild) -> None:
    images = bench.images(book=book, builds=[shop])
    images.provide(PYTHON, bench.heard)
    tag = images.apps.tag(shop)
    assert tag
    bench.engine.build_failures[tag] = "#7 SyntaxError\nERROR: failed to solve: exit code: 1"
    with pytest.raises(KindctlError) as caught:
        images.provide(shop.image, bench.heard)
    assert caught.value.code == "image-build"
    assert shop.image in caught.value.what
    assert "SyntaxError" in caught.value.output


def test_what_was_built_for_another_architecture_is_refused(
    book: RecipeBook, shop: AppBuild
) -> None:
    class Cross(FakeEngine):
        def build(self, build: Build, say: Say) -> ImageInfo:
            return replace(super().build(build, say), architecture="arm64")

    bench = Bench(engine=Cross())
    bench.engine.add_image(PYTHON)
    with pytest.raises(KindctlError) as caught:
        bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard)
    assert caught.value.code == "exec-format"


def test_builds_are_replaced_by_their_bases_in_what_is_needed(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    images = bench.images(book=book, builds=[shop])
    assert images.needed([shop.image, "postgres:17", PYTHON]) == (PYTHON, "postgres:17")


def test_the_frontend_is_pulled_only_where_it_can_be(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    shop.dockerfile.write_text(f"# syntax=docker/dockerfile:1\nFROM {PYTHON}\n")
    bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard)
    copy = bench.engine.built[-1].dockerfile
    assert copy
    assert copy != str(shop.dockerfile)
    assert not Path(copy).exists()

    bench.online()
    (shop.context / "src" / "main.py").write_text("print(2)\n")
    bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard)
    assert bench.engine.built[-1].dockerfile == str(shop.dockerfile)


# --- CAs -----------------------------------------------------------------------------------------

EXTRA = {"corp.crt": CORPORATE_CA}


def company(bench: Bench, shop: AppBuild, tmp_path: Path) -> Images:
    book = RecipeBook(write_recipes(tmp_path / "recipes"), extra_cas=EXTRA)
    return bench.images(book=book, builds=[shop])


def test_a_base_from_a_registry_gets_the_cas_and_the_child_says_so(
    bench: Bench, shop: AppBuild, tmp_path: Path
) -> None:
    bench.online().publish(PYTHON)
    name = company(bench, shop, tmp_path).provide(shop.image, bench.heard).name
    (context,) = bench.engine.built[-1].contexts.values()
    assert context.startswith("docker-image://kindctl.local/with-cas/library/python:3.13-slim-")
    image = bench.engine.image(name)
    assert image
    assert cas.carries_cas(image) == cas.fingerprints(EXTRA)
    upstream = bench.engine.image(PYTHON)
    assert upstream
    assert cas.carries_cas(upstream) == (), "the user's own image stays as it is"


def test_a_stand_in_that_has_the_cas_gets_them_no_second_time(
    bench: Bench, shop: AppBuild, tmp_path: Path
) -> None:
    images = company(bench, shop, tmp_path)
    name = images.provide(shop.image, bench.heard).name
    (context,) = bench.engine.built[-1].contexts.values()
    assert context.startswith("docker-image://kindctl.local/python:")
    image = bench.engine.image(name)
    assert image
    assert cas.carries_cas(image) == cas.fingerprints(EXTRA)


def test_other_cas_build_the_app_again(bench: Bench, shop: AppBuild, tmp_path: Path) -> None:
    bench.engine.add_image(PYTHON)
    book = RecipeBook(write_recipes(tmp_path / "recipes"))
    plain = bench.images(book=book, builds=[shop]).provide(shop.image, bench.heard).name
    images = bench.images(book=RecipeBook(book.folder, extra_cas=EXTRA), builds=[shop])
    assert images.provide(shop.image, bench.heard).name != plain


class NoShell(FakeEngine):
    """Its images have no shell: runc's words."""

    def build(self, build: Build, say: Say) -> ImageInfo:
        if "with-cas" in build.tag:
            words = 'runc run failed: exec: "/bin/sh": stat /bin/sh: no such file or directory'
            raise build_error(failure(["docker", "buildx", "build"], 1, [words]))
        return super().build(build, say)


def test_a_base_without_a_shell_stays_as_it_is(shop: AppBuild, tmp_path: Path) -> None:
    bench = Bench(engine=NoShell())
    bench.engine.add_image(PYTHON)
    company(bench, shop, tmp_path).provide(shop.image, bench.heard)
    assert bench.engine.built[-1].contexts == {}


def test_another_failure_of_that_is_not_hidden(
    bench: Bench, shop: AppBuild, tmp_path: Path
) -> None:
    images = company(bench, shop, tmp_path)
    image = bench.engine.add_image(PYTHON)
    name = cas.with_cas(bench.engine, PYTHON, EXTRA, lambda _: None)
    bench.engine.remove_image(name)
    bench.engine.build_failures[name] = "ERROR: no space left on device"
    with pytest.raises(KindctlError) as caught:
        images.provide(shop.image, bench.heard)
    assert caught.value.code == "disk-full"
    assert bench.engine.image(PYTHON) == image
