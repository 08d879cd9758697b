"""What is installed into the cluster: ingress controllers and apps.

One file (or folder) per controller; CONTROLLERS is the list of them, and everything else that knows
their names reads it. Its module is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module

from kindctl.components.base import Controller
from kindctl.errors import UsageError

CONTROLLERS: dict[str, tuple[str, str]] = {
    "nginx": (
        "kindctl.components.nginx",
        "ingress-nginx as on every kind cluster (retired upstream in March 2026)",
    ),
}
"""Name in kindctl.yaml -> (module with `controller(environment)`, one-line summary)."""


def load_controller(name: str, environment: str) -> Controller:
    """The ingress controller of that name, for that environment. Raises UsageError."""
    if name not in CONTROLLERS:
        raise UsageError(
            f"there is no ingress controller {name!r}",
            fix=f"ingress.controller is one of {', '.join([*CONTROLLERS, 'none'])}",
        )
    made: Controller = import_module(CONTROLLERS[name][0]).controller(environment)
    return made
