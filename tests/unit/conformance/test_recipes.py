"""What every image recipe must bring. Each rule is seen to fail on one that brings nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kindctl.images.recipe_book import RecipeBook
from tests import ROOT
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    recipe_book,
    recipe_faults,
    summary_faults,
)

FOLDER = "kindctl/images/recipes"


def has_a_summary(name: str, book: RecipeBook) -> Iterator[str]:
    yield from summary_faults(name, book.get(name).summary, f"{FOLDER}/{name}/recipe.toml")


def has_a_dockerfile(name: str, book: RecipeBook) -> Iterator[str]:
    if not (book.get(name).folder / "Dockerfile").is_file():
        yield f"{name}: add {FOLDER}/{name}/Dockerfile"


def says_what_it_is_made_of(name: str, book: RecipeBook) -> Iterator[str]:
    if not book.get(name).sources:
        yield f"{name}: add [sources] to {FOLDER}/{name}/recipe.toml: they go into the image's labels"


def has_a_row_in_the_readme(name: str, book: RecipeBook) -> Iterator[str]:
    if f"\n| `{name}` | " not in (ROOT / FOLDER / "README.md").read_text():
        yield f"{name}: add a row to the table of {FOLDER}/README.md: what it takes the place of"


BRINGS: dict[str, Callable[[str, RecipeBook], Iterator[str]]] = by_name(
    has_a_summary,
    has_a_dockerfile,
    says_what_it_is_made_of,
    has_a_row_in_the_readme,
)


@pytest.mark.parametrize("rule", BRINGS)
def test_a_recipe(rule: str) -> None:
    book = recipe_book()
    assert_nothing_is_missing(line for name in book.recipes for line in BRINGS[rule](name, book))


@pytest.mark.parametrize("rule", BRINGS)
def test_a_recipe_that_brings_nothing_is_told_what(rule: str, tmp_path: Path) -> None:
    (tmp_path / "copycat").mkdir()
    text = 'summary = ""\nversion = "1"\nseconds = 1\nstands_for = []\nneeds = []\n'
    (tmp_path / "copycat" / "recipe.toml").write_text(text)
    (complaint,) = BRINGS[rule]("copycat", RecipeBook(tmp_path))
    assert complaint.startswith("copycat: ")
    assert FOLDER in complaint


def test_an_image_without_a_recipe_needs_a_word_that_there_is_none() -> None:
    (complaint,) = recipe_faults("twin", ["twin:v1"], readme="# Image recipes\n")
    assert "No recipe: `twin:v1`: WHY" in complaint
    assert not list(
        recipe_faults("twin", ["twin:v1"], readme="\nNo recipe: `twin:v1`: it is closed.\n")
    )
