"""Reads recipes. If no image registry can be reached, recipes build images from package registries.

A recipe is a folder in recipes/ with a Dockerfile and a recipe.toml. The image of a recipe is
named kindctl.local/NAME:VERSION-HASH. It never has the name of the upstream image that it replaces.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
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
    """A recipe, read from its folder. All fields except `name` and `folder` are keys of its recipe.toml."""

    name: str
    folder: Path
    summary: str
    version: str
    seconds: float  # duration of a build without cache on two cores, not counting `needs`
    stands_for: Sequence[str]  # upstream references that it replaces; the tag may be a glob
    needs: Sequence[str]  # recipes that its Dockerfile names in FROM or COPY --from
    bootstrap: bool = False  # whether it starts from a root file system, to which it adds the CAs
    args: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> Iterator[Path]:
        """Yield the paths that the build sees, in a fixed order."""
        return (path for path in sorted(self.folder.rglob("*")) if path.name != "recipe.toml")


class RecipeBook:
    """All recipes, which are read from their folders at the first use.

    `extra_cas` maps file names to PEM. These CAs become part of each built image, and so they change the
    hash in its name.
    """

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
        """Return the recipe of this name. Raises UsageError (code recipe-unknown)."""
        try:
            return self.recipes[name]
        except KeyError:
            raise UsageError(
                f"there is no recipe {name!r}",
                fix=f"use one of {', '.join(self.recipes)}",
                code="recipe-unknown",
            ) from None

    def for_reference(self, reference: str) -> Recipe | None:
        """Return the recipe whose image can replace an upstream image, or None.

        A digest in the reference is ignored, because an image that kindctl builds never has that digest.
        For a node image of a minor version, a recipe for any of its patch versions is returned.
        """
        wanted = parse(reference)
        for recipe in self.recipes.values():
            if any(_fits(pattern, wanted) for pattern in recipe.stands_for):
                return recipe
        return None

    def tag(self, recipe: Recipe) -> str:
        return f"kindctl.local/{recipe.name}:{recipe.version}-{self.hash(recipe)[:8]}"

    def hash(self, recipe: Recipe) -> str:
        """Return a SHA-256 of everything that the image is made from.

        The image is made from files (including their modes), arguments, sources, the recipes that it needs,
        and the CAs.
        """
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
        """Return the labels that say what the image is made from.

        The label that lists the CAs is inherited from the base image, so only a bootstrap recipe sets it.
        """
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
    return Recipe(file.parent.name, file.parent, **tomllib.loads(file.read_text()))


def _fits(pattern: str, wanted: Reference) -> bool:
    name, _, tag = pattern.rpartition(":")
    if not wanted.tag or parse(name).name != wanted.name:
        return False
    return fnmatchcase(wanted.tag, tag) or (
        wanted.name == "docker.io/kindest/node" and tag.startswith(f"{wanted.tag}.")
    )
