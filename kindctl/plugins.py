"""Loads plug-ins. A registry maps each name in kindctl.yaml to the place of its code. The code is imported
when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from kindctl.errors import UsageError


def load_plugin(
    registry: Mapping[str, tuple[str, ...]], name: str, *, kind: str, choices: str
) -> Any:
    """Import and return the plug-in of that name. Each entry of the registry begins with
    "module:attribute".

    `kind` ("ingress controller") and `choices` ("ingress.controller is one of") are for the error message.
    Raises UsageError for a name that is not registered.
    """
    if name not in registry:
        raise UsageError(f"there is no {kind} {name!r}", fix=f"{choices} {', '.join(registry)}")
    return resolve_name(registry[name][0])
