"""Image sources. There is one file per source; SOURCES lists them."""

from __future__ import annotations

from pkgutil import resolve_name

from kindctl.images.sources.base import ImageSource, SourceContext

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
    source: ImageSource = resolve_name(SOURCES[name][0])(context)
    return source
