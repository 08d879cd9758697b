"""Image sources. There is one file per source; SOURCES lists them."""

from __future__ import annotations

from kindctl.images.sources.base import ImageSource, SourceContext
from kindctl.plugins import load_plugin

SOURCES: dict[str, tuple[str, str]] = {
    "engine": (
        "kindctl.images.sources.engine:EngineSource",
        "images that are already in the container engine",
    ),
    "registry": (
        "kindctl.images.sources.registry:RegistrySource",
        "pulled from its registry, or from the mirror configured for it",
    ),
    "build": (
        "kindctl.images.sources.build:BuildSource",
        "built from package registries by a recipe",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def load_source(name: str, context: SourceContext) -> ImageSource:
    """Return the image source with this name. Raises UsageError for a name that is not in SOURCES."""
    make = load_plugin(SOURCES, name, kind="image source", choices="images.sources has any of")
    source: ImageSource = make(context)
    return source
