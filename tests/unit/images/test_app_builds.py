"""The user's own images: their bases, their contexts, and when they are built again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from kindctl.errors import KindctlError
from kindctl.images import bootstrap, cas
from kindctl.images.app_builds import CONTEXT_LABEL
from kindctl.images.context import compile_patterns, digest, ignored
from kindctl.images.dockerfile import asks_platform, bases, syntax, without_syntax
from kindctl.images.recipe_book import RECIPE_LABEL, RecipeBook
from kindctl.images.store import Images
from kindctl.models import AppBuild, Say
from kindctl.tools.engine_protocol import Build, ImageInfo
from kindctl.tools.engine_words import build_error
from kindctl.tools.process import failure
from tests.fakes.engine import FakeEngine
from tests.support.images_bench import CORPORATE_CA, Bench, write_recipes

PYTHON = "python:3.13-slim"


# --- Dockerfiles ---------------------------------------------------------------------------------


def bases_of(text: str, target: str | None = None, **args: str) -> tuple[str, ...]:
    return bases(text, args, target, "arm64")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM python:3.13-slim\n", (PYTHON,)),
        ("from python:3.13-slim as app\n", (PYTHON,)),
        (
            "FROM --platform=$BUILDPLATFORM golang:1.26 AS b\nFROM scratch\nCOPY --from=b /a /\n",
            ("golang:1.26",),
        ),
        ("FROM a AS x\nFROM b\nCOPY --from=x / /\n", ("b", "a")),
        ("FROM a AS x\nFROM X\n", ("a",)),
        ("FROM a\nFROM b\nCOPY --from=0 / /\n", ("b", "a")),
        ("FROM a AS unused\nFROM b\n", ("b",)),
        ("FROM b\nCOPY --from=ghcr.io/acme/uv:1 /uv /\n", ("b", "ghcr.io/acme/uv:1")),
        ("FROM b\nCOPY --chown=1 --from=tools:1 /uv /\n", ("b", "tools:1")),
        ("FROM b\nCOPY a --from=no /\n", ("b",)),
        ("FROM b\nRUN --mount=type=bind,from=tools:1,target=/t true\n", ("b", "tools:1")),
        ("ARG V=3.13\nFROM python:${V}-slim\n", (PYTHON,)),
        ("ARG V=3\nARG T=$V.13\nFROM python:$T-slim\n", (PYTHON,)),
        ('ARG BASE="python:3.13-slim"\nFROM ${BASE}\n', (PYTHON,)),
        ("FROM python:${V:-3.13}-slim\n", (PYTHON,)),
        ("FROM a${V:+-b}\n", ("a",)),
        ("ARG BASE\nFROM $BASE\n", ()),
        ("FROM tools-$TARGETARCH\n", ("tools-arm64",)),
        ("FROM python:3.13-slim\nARG V=1\nFROM b:$V\n", ()),
        ("# a comment\n\nFROM \\\n  # in between\n  python:3.13-slim \\\n  AS app\n", (PYTHON,)),
        ("FROM a\nRUN <<EOF\necho\nFROM nowhere\nEOF\nCOPY --from=c / /\n", ("a", "c")),
        ("FROM a\nRUN cat <<-'SQL' | db\n\tFROM t\n\tSQL\n", ("a",)),
        ("# escape=`\nFROM a `\n AS b\n", ("a",)),
        ("", ()),
    ],
)
def test_the_bases_of_a_dockerfile(text: str, found: tuple[str, ...]) -> None:
    assert bases_of(text) == found


def test_a_build_argument_chooses_the_base() -> None:
    assert bases_of("ARG V=3.12\nFROM python:$V-slim\n", V="3.13") == (PYTHON,)


def test_the_engine_is_asked_for_its_platform_where_a_dockerfile_asks() -> None:
    assert asks_platform("FROM --platform=$BUILDPLATFORM golang\n")
    assert asks_platform("FROM tools-${TARGETARCH}\n")
    assert not asks_platform("ARG TARGET=1\nFROM a:$TARGET\n")


def test_only_what_the_target_needs_counts() -> None:
    text = "FROM a AS base\nFROM base AS dev\nCOPY --from=tools:1 / /\nFROM base AS prod\nFROM z\n"
    assert bases_of(text, "prod") == ("a",)
    assert bases_of(text, "dev") == ("a", "tools:1")
    assert bases_of(text) == ("z",)


def test_the_frontend_is_read_and_left_out() -> None:
    text = "# check=skip=all\n#syntax = docker/dockerfile:1\nFROM a\n# syntax=x\n"
    assert syntax(text) == "docker/dockerfile:1"
    assert syntax("FROM a\n# syntax=docker/dockerfile:1\n") is None
    assert syntax("") is None
    assert "docker/dockerfile" not in without_syntax(text)
    assert bases_of(without_syntax(text)) == ("a",)


# --- .dockerignore -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "name", "out"),
    [
        (["*.pyc"], "a.pyc", True),
        (["*.pyc"], "x/a.pyc", False),
        (["**/*.pyc"], "a.pyc", True),
        (["**/*.pyc"], "x/y/a.pyc", True),
        (["build"], "build/a/b", True),
        (["/build/"], "build/a", True),
        (["build"], "rebuild", False),
        (["*"], "x/y", True),
        (["*", "!src"], "src/a.py", False),
        (["*", "!src", "src/*.log"], "src/a.log", True),
        (["*", "!src/keep"], "src/keep/a", False),
        (["*", "!src/keep"], "src/other", True),
        (["# a", "", "  b  "], "b", True),
        (["a?c"], "abc", True),
        (["a?c"], "a/c", False),
        (["[ab].txt"], "b.txt", True),
        (["[ab].txt"], "c.txt", False),
        (["a\\*"], "a*", True),
        (["a\\*"], "ab", False),
        (["docs/**"], "docs/a/b", True),
        (["**/node_modules"], "a/node_modules/b/c", True),
        (["a.b"], "aXb", False),
        (["./a"], "a", True),
        (["."], "a", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], name: str, out: bool) -> None:
    assert ignored(name, compile_patterns(patterns)) is out


# --- the digest of a context ---------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text(f"FROM {PYTHON}\nCOPY src src\n")
    (folder / "src" / "main.py").write_text("print(1)\n")
    (folder / ".dockerignore").write_text("*\n!src\n**/*.log\n")
    return folder


def of(folder: Path) -> str:
    return digest(folder, folder / "Dockerfile")


def test_what_the_build_sees_is_in_the_digest(folder: Path) -> None:
    digests = [of(folder)]
    (folder / "src" / "main.py").write_text("print(2)\n")
    digests.append(of(folder))
    (folder / "src" / "main.py").chmod(0o755)
    digests.append(of(folder))
    (folder / "src" / "main.py").rename(folder / "src" / "app.py")
    digests.append(of(folder))
    (folder / "src" / "link").symlink_to("app.py")
    digests.append(of(folder))
    (folder / "src" / "empty").mkdir()
    digests.append(of(folder))
    assert len(set(digests)) == len(digests)


def test_what_it_does_not_see_is_not(folder: Path) -> None:
    before = of(folder)
    (folder / "README").write_text("x")
    (folder / "src" / "a.log").write_text("x")
    os.utime(folder / "src" / "main.py", (1, 1))
    assert of(folder) == before


def test_the_dockerfiles_own_ignore_file_wins(folder: Path) -> None:
    (folder / "Dockerfile.dockerignore").write_text("**\n")
    before = of(folder)
    (folder / "src" / "main.py").write_text("print(2)\n")
    assert of(folder) == before


def test_a_file_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: BinaryIO, _: str) -> None:  # root, who may run this, may read everything
        raise PermissionError(13, "Permission denied", file.name)

    monkeypatch.setattr("hashlib.file_digest", refuse)
    with pytest.raises(KindctlError) as caught:
        of(folder)
    assert caught.value.code == "build-context"
    assert "main.py" in caught.value.why


# --- building ------------------------------------------------------------------------------------


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
