"""Reads the Kubernetes objects in an image that contains only files."""

from __future__ import annotations

from kindctl.models import Object
from kindctl.tools.engine_protocol import Engine


def objects_in(engine: Engine, image: str, folder: str) -> list[Object]:
    """Return the objects in the YAML files of an image's folder, in file order. Raises ToolError."""
    import yaml

    # CRDs can have a megabyte, which libyaml parses in half a second, and Python in several.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        obj
        for name, text in sorted(engine.read_files(image, folder).items())
        if name.endswith((".yaml", ".yml"))
        for obj in yaml.load_all(text, Loader=loader)
        if obj
    ]
