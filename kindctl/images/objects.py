"""Kubernetes objects that an image of files holds."""

from __future__ import annotations

from kindctl.models import Object
from kindctl.tools.engine_protocol import Engine


def objects_in(engine: Engine, image: str, folder: str) -> list[Object]:
    """Of the YAML files in a folder of an image, in the order of their names. Raises ToolError."""
    import yaml

    # A megabyte of definitions: libyaml's parser takes half a second, the one in Python several.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        obj
        for name, text in sorted(engine.read_files(image, folder).items())
        if name.endswith((".yaml", ".yml"))
        for obj in yaml.load_all(text, Loader=loader)
        if obj
    ]
