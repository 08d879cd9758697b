"""Where images come from. One file per kind; this is the list of them."""

from __future__ import annotations

from importlib import import_module

from kindctl.images.sources.base import ImageSource, SourceContext

SOURCES = {
    "engine": "what is already in the container engine",
    "registry": "pulled from its registry, or from the mirror configured for it",
    "build": "built from package registries by a recipe",
}
"""Name in kindctl.yaml -> summary. The module of the same name has a class `Source`."""


def load_source(name: str, surroundings: SourceContext) -> ImageSource:
    module = import_module(f"kindctl.images.sources.{name}")
    source: ImageSource = module.Source(surroundings)
    return source
