"""One row of `kindctl images list`."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.images import cas
from kindctl.images.pins import CATALOGUE
from kindctl.images.recipe_book import SOURCES_LABEL, VERSIONS_LABEL, Recipe
from kindctl.images.references import parse
from kindctl.models import ImageInfo


@dataclass(frozen=True)
class ImageRow:
    """`source`: engine (local, of unknown origin), registry, built, or empty when it is not here; then
    `versions` says what would be built. `size` in bytes."""

    name: str
    reference: str
    served_by: str
    source: str
    size: int
    carries_cas: tuple[str, ...]
    versions: str
    sources: str


def row(
    reference: str, served: str | None, image: ImageInfo | None, recipe: Recipe | None
) -> ImageRow:
    roles = {of: role for role, of in CATALOGUE.items()}
    wanted = parse(reference)
    name = roles.get(reference) or (recipe.name if recipe else wanted.repository.split("/")[-1])
    if served is None or image is None:
        offer = f"{recipe.name} {recipe.version} can be built" if recipe else ""
        return ImageRow(name, reference, "", "", 0, (), offer, "")
    return ImageRow(
        name=name,
        reference=reference,
        served_by=served,
        source=_source(served, image),
        size=image.size,
        carries_cas=cas.carries_cas(image),
        versions=image.labels.get(VERSIONS_LABEL, ""),
        sources=image.labels.get(SOURCES_LABEL, ""),
    )


def _source(served: str, image: ImageInfo) -> str:
    if image.digests:
        return "registry"
    return "built" if served.startswith("kindctl.local/") else "engine"
