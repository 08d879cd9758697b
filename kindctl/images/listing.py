"""Makes the rows of `kindctl images list`."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.images import cas
from kindctl.images.pins import CATALOGUE, OPTIONAL
from kindctl.images.recipe_book import VERSIONS_LABEL, Recipe
from kindctl.references import parse
from kindctl.tools.engine_protocol import ImageInfo


@dataclass(frozen=True)
class ImageRow:
    """An image that the environment needs, and the image in the engine that is used for it.

    `source` is "registry", "built", or "engine" for a local image of unknown origin. It is empty if the
    engine has no such image; in that case, `versions` says what can be built. `size` is in bytes.
    `carries_cas` lists extra CAs as FILE=FINGERPRINT, with the first 12 digits of each fingerprint.
    """

    name: str
    reference: str
    served_by: str
    source: str
    size: int
    carries_cas: tuple[str, ...]
    versions: str


def name_of(reference: str, recipe: Recipe | None) -> str:
    """Return a short name for the image.

    The name is the image's role in the catalogue. An image without a role gets the name of its recipe. An
    image without a recipe gets the last part of its repository.
    """
    roles = {image: role for role, image in {**CATALOGUE, **OPTIONAL}.items()}
    last = parse(reference).repository.rpartition("/")[2]
    return roles.get(reference) or (recipe.name if recipe else last)


def row(
    reference: str, served: str | None, image: ImageInfo | None, recipe: Recipe | None
) -> ImageRow:
    name = name_of(reference, recipe)
    if served is None or image is None:
        offer = f"{recipe.name} {recipe.version} can be built" if recipe else ""
        return ImageRow(name, reference, "", "", 0, (), offer)
    return ImageRow(
        name=name,
        reference=reference,
        served_by=served,
        source=_source(served, image),
        size=image.size,
        carries_cas=tuple(entry[: entry.index("=") + 13] for entry in cas.carries_cas(image)),
        versions=image.labels.get(VERSIONS_LABEL, ""),
    )


def _source(served: str, image: ImageInfo) -> str:
    if image.digests:
        return "registry"
    return "built" if served.startswith("kindctl.local/") else "engine"
