"""Recipes: how images are built from package registries where no image registry can be reached.

A recipe is a folder in recipes/ with a Dockerfile and a recipe.toml. What a recipe builds is named
for what it is, never for what it stands for: kindctl.local/NAME:VERSION-HASH.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from kindctl.errors import UsageError
from kindctl.images import cas
from kindctl.models import EXTRA_CAS_LABEL
from kindctl.references import Reference, parse

RECIPES = Path(__file__).parent / "recipes"

RECIPE_LABEL = "dev.kindctl.recipe"
SOURCES_LABEL = "dev.kindctl.sources"
VERSIONS_LABEL = "dev.kindctl.versions"


@dataclass(frozen=True)
class Recipe:
    """One folder of recipes/, as its recipe.toml describes it."""

    name: str
    folder: Path
    summary: str
    version: str
    seconds: float  # a cold build of it alone, on two cores
    stands_for: tuple[str, ...]  # upstream references; the tag may be a glob
    needs: tuple[str, ...]  # recipes that its Dockerfile names in FROM or COPY --from
    bootstrap: bool = False  # made from a bare root file system and the CAs, not from a recipe
    args: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> Iterator[Path]:
        """What the build sees, in a fixed order."""
        return (path for path in sorted(self.folder.rglob("*")) if path.name != "recipe.toml")


class RecipeBook:
    """All recipes, read when first asked for. `extra_cas` (file name -> PEM) go into what is built, so
    another set of CAs is another image."""

    def __init__(
        self, folder: Path = RECIPES, *, extra_cas: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.extra_cas = dict(extra_cas or {})
        self._hashes: dict[str, str] = {}

    @cached_property
    def recipes(self) -> Mapping[str, Recipe]:
        files = sorted(self.folder.glob("*/recipe.toml"))
        return {file.parent.name: _read(file) for file in files}

    def get(self, name: str) -> Recipe:
        """Raises UsageError (code recipe-unknown)."""
        try:
            return self.recipes[name]
        except KeyError:
            raise UsageError(
                f"there is no recipe {name!r}",
                fix=f"use one of {', '.join(self.recipes)}",
                code="recipe-unknown",
            ) from None

    def for_reference(self, reference: str) -> Recipe | None:
        """The recipe whose image can stand for an upstream reference. A digest is not asked for: no
        build of ours has it. A node image of a minor version is fitted by any patch of it."""
        wanted = parse(reference)
        for recipe in self.recipes.values():
            if any(_fits(pattern, wanted) for pattern in recipe.stands_for):
                return recipe
        return None

    def tag(self, recipe: Recipe) -> str:
        return f"kindctl.local/{recipe.name}:{recipe.version}-{self.hash(recipe)[:8]}"

    def hash(self, recipe: Recipe) -> str:
        """Of all that the image is made from: files and their modes, arguments, the recipes that it
        needs and, through those, the CAs."""
        if recipe.name not in self._hashes:
            content = hashlib.sha256()
            for path in recipe.files():
                if path.is_file():
                    name, mode = path.relative_to(recipe.folder), path.stat().st_mode & 0o111
                    content.update(f"{name}\0{bool(mode)}\0".encode())
                    content.update(hashlib.sha256(path.read_bytes()).digest())
            rest = {
                "version": recipe.version,
                "args": dict(recipe.args),
                "sources": dict(recipe.sources),
                "needs": {need: self.hash(self.get(need)) for need in recipe.needs},
                "cas": cas.fingerprints(self.extra_cas) if recipe.bootstrap else (),
            }
            content.update(json.dumps(rest, sort_keys=True).encode())
            self._hashes[recipe.name] = content.hexdigest()
        return self._hashes[recipe.name]

    def labels(self, recipe: Recipe) -> Mapping[str, str]:
        """Where the image says what it is made from. An image inherits the CAs' label from its base,
        so only the one that has no base of ours sets it."""
        versions = {recipe.name: recipe.version, **recipe.args}
        labels = {
            RECIPE_LABEL: recipe.name,
            SOURCES_LABEL: "; ".join(f"{name}: {what}" for name, what in recipe.sources.items()),
            VERSIONS_LABEL: ", ".join(f"{name} {version}" for name, version in versions.items()),
        }
        return (
            {**labels, EXTRA_CAS_LABEL: cas.label(self.extra_cas)} if recipe.bootstrap else labels
        )


def _read(file: Path) -> Recipe:
    data = tomllib.loads(file.read_text())
    return Recipe(
        name=file.parent.name,
        folder=file.parent,
        summary=data["summary"],
        version=data["version"],
        seconds=float(data["seconds"]),
        stands_for=tuple(data["stands_for"]),
        needs=tuple(data["needs"]),
        bootstrap=data.get("bootstrap", False),
        args=data.get("args", {}),
        sources=data.get("sources", {}),
    )


def _fits(pattern: str, wanted: Reference) -> bool:
    name, _, tag = pattern.rpartition(":")
    if not wanted.tag or parse(name).name != wanted.name:
        return False
    return fnmatchcase(wanted.tag, tag) or (
        wanted.name == "docker.io/kindest/node" and tag.startswith(f"{wanted.tag}.")
    )
