"""Recipes: what they stand for, what an image's name says of them, and that the shipped ones hold up."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from kindctl.errors import UsageError
from kindctl.images import cas
from kindctl.images.pins import CATALOGUE, CONTROLLER, OPTIONAL
from kindctl.images.recipe_book import RECIPE_LABEL, SOURCES_LABEL, VERSIONS_LABEL, RecipeBook
from kindctl.models import EXTRA_CAS_LABEL
from tests.support.images_bench import CORPORATE_CA, write_recipes
from tests.support.plug_ins import assert_nothing_is_missing, recipe_faults


def tags(book: RecipeBook) -> dict[str, str]:
    return {name: book.tag(recipe) for name, recipe in book.recipes.items()}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_recipes(tmp_path / "recipes")


def test_an_image_is_named_for_what_it_is(folder: Path) -> None:
    tag = tags(RecipeBook(folder))["python"]
    assert re.fullmatch(r"kindctl\.local/python:3\.13-[0-9a-f]{8}", tag)


def test_the_same_recipes_elsewhere_give_the_same_names(folder: Path, tmp_path: Path) -> None:
    other = write_recipes(tmp_path / "elsewhere")
    assert tags(RecipeBook(folder)) == tags(RecipeBook(other))


def test_an_edited_file_renames_that_image_and_those_that_need_it(folder: Path) -> None:
    before = tags(RecipeBook(folder))
    (folder / "python" / "entrypoint").write_text("#!/bin/sh\n")
    assert changed(before, tags(RecipeBook(folder))) == {"python"}

    before = tags(RecipeBook(folder))
    (folder / "go" / "Dockerfile").write_text("FROM debian\nRUN true\n")
    assert changed(before, tags(RecipeBook(folder))) == {"go", "node"}


def test_a_file_that_becomes_executable_is_another_image(folder: Path) -> None:
    script = folder / "python" / "entrypoint"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)
    before = tags(RecipeBook(folder))
    script.chmod(0o755)
    assert changed(before, tags(RecipeBook(folder))) == {"python"}


def test_an_argument_is_part_of_the_image_and_an_estimate_is_not(folder: Path) -> None:
    file = folder / "python" / "recipe.toml"
    before = tags(RecipeBook(folder))
    file.write_text(file.read_text().replace("seconds = 10", "seconds = 99"))
    assert changed(before, tags(RecipeBook(folder))) == set()
    file.write_text(file.read_text().replace('VERSION = "3.13"', 'VERSION = "3.14"'))
    assert changed(before, tags(RecipeBook(folder))) == {"python"}


def test_other_cas_are_other_images_throughout(folder: Path) -> None:
    plain = tags(RecipeBook(folder))
    company = tags(RecipeBook(folder, extra_cas={"corp.crt": CORPORATE_CA}))
    assert changed(plain, company) == {"debian", "go", "python", "node"}


def test_labels_say_what_an_image_is_made_of(folder: Path) -> None:
    book = RecipeBook(folder, extra_cas={"corp.crt": CORPORATE_CA})
    labels = book.labels(book.get("debian"))
    assert labels[RECIPE_LABEL] == "debian"
    assert labels[SOURCES_LABEL] == "Debian: debian"
    assert "13" in labels[VERSIONS_LABEL]
    assert labels[EXTRA_CAS_LABEL] == ",".join(cas.fingerprints({"corp.crt": CORPORATE_CA}))
    assert re.fullmatch(r"corp\.crt=[0-9a-f]{64}", labels[EXTRA_CAS_LABEL])
    assert EXTRA_CAS_LABEL not in book.labels(book.get("python")), "inherited from the base"


@pytest.mark.parametrize(
    ("reference", "recipe"),
    [
        ("python:3.13-slim", "python"),
        ("python:3.13-slim-bookworm", "python"),
        ("docker.io/library/python:3.13-slim", "python"),
        ("python:3.13-slim@sha256:" + "0" * 64, "python"),
        ("python:3.12-slim", None),
        ("python", None),
        ("python@sha256:" + "0" * 64, None),
        ("ghcr.io/library/python:3.13-slim", None),
        ("kindest/node:v1.36", "node"),
        ("kindest/node:v1.36.3", "node"),
        ("kindest/node:v1.36.4", None),
        ("kindest/node:v1.3", None),
        ("kindest/node:v1.37", None),
    ],
)
def test_what_stands_for_a_reference(folder: Path, reference: str, recipe: str | None) -> None:
    found = RecipeBook(folder).for_reference(reference)
    assert (found and found.name) == recipe


def test_an_unknown_recipe_is_refused_with_those_that_exist(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        RecipeBook(folder).get("redis")
    assert "python" in caught.value.fix


def test_fingerprints_are_of_each_certificate_and_safe_in_a_label() -> None:
    twice = CORPORATE_CA + "\n" + CORPORATE_CA
    entries = cas.fingerprints({"a b,c=d.pem": twice})
    assert len(entries) == 2
    assert all(entry.startswith("a-b-c-d.pem.crt=") and "," not in entry for entry in entries)


# --- the shipped recipes -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> RecipeBook:
    return RecipeBook()


def test_a_recipe_stands_for_everything_in_the_catalogue(
    shipped: RecipeBook,
) -> None:
    """Of optional images the recipes' README may say that there is none."""
    assert [role for role, ref in CATALOGUE.items() if not shipped.for_reference(ref)] == []
    assert_nothing_is_missing(recipe_faults("images", OPTIONAL.values()))
    for role, reference in {**CATALOGUE, **OPTIONAL}.items():
        recipe = shipped.for_reference(reference)
        assert recipe is None or role in (
            recipe.name,
            f"{recipe.name}-controller",
            f"{recipe.name}-speaker",
        )
    assert shipped.for_reference(CONTROLLER)


def test_the_shipped_recipes_name_what_they_start_from(shipped: RecipeBook) -> None:
    """Every FROM and COPY --from is a stage, a need, or the bootstrap's own contexts."""
    for recipe in shipped.recipes.values():
        text = (recipe.folder / "Dockerfile").read_text()
        froms = re.findall(r"^FROM (\S+)(?: AS (\S+))?", text, re.MULTILINE)
        stages = {stage for _, stage in froms if stage}
        used = {base for base, _ in froms} | set(re.findall(r"COPY .*--from=(\S+)", text))
        own = {"rootfs", "cas"} if recipe.bootstrap else set()
        assert used - stages - {"scratch"} == set(recipe.needs) | own, recipe.name


def test_the_shipped_recipes_declare_their_arguments(shipped: RecipeBook) -> None:
    for recipe in shipped.recipes.values():
        declared = re.findall(r"^ARG (\w+)", (recipe.folder / "Dockerfile").read_text(), re.M)
        assert set(declared) == set(recipe.args), recipe.name
        assert recipe.sources, f"{recipe.name} does not say what it is built from"


def test_shell_scripts_of_the_shipped_recipes_are_executable(shipped: RecipeBook) -> None:
    for recipe in shipped.recipes.values():
        for path in recipe.files():
            if path.is_file() and path.read_bytes().startswith(b"#!"):
                assert os.access(path, os.X_OK), path
