"""What is installed into the cluster: ingress controllers, add-ons and apps.

One file (or folder) per controller and add-on; CONTROLLERS and ADDONS are the lists of them, and all
else that knows their names reads these. A module is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module

from kindctl.components.base import Component, Controller, Setup
from kindctl.errors import UsageError

CONTROLLERS: dict[str, tuple[str, str, str]] = {
    "nginx": (
        "kindctl.components.nginx",
        "ingress-nginx",
        "ingress-nginx as on every kind cluster (retired upstream in March 2026)",
    ),
    "traefik": (
        "kindctl.components.traefik",
        "traefik",
        "Traefik, which understands nginx's annotations too",
    ),
    "custom": (
        "kindctl.components.custom",
        "custom",
        "one that you bring: its manifests, or its chart",
    ),
}
"""Name in kindctl.yaml -> (module with `controller(setup)`, name of its component, one-line summary)."""

ADDONS: dict[str, tuple[str, str]] = {
    "metrics-server": (
        "kindctl.components.metrics_server",
        "what nodes and pods use, for `kubectl top` and autoscalers",
    ),
    "metallb": ("kindctl.components.metallb", "addresses for Services of type LoadBalancer"),
}
"""Name in kindctl.yaml -> (module with `addon(setup)`, one-line summary)."""


def load_controller(name: str, setup: Setup) -> Controller:
    """The ingress controller of that name. Raises UsageError."""
    if name not in CONTROLLERS:
        raise UsageError(
            f"there is no ingress controller {name!r}",
            fix=f"ingress.controller is one of {', '.join([*CONTROLLERS, 'none'])}",
        )
    made: Controller = import_module(CONTROLLERS[name][0]).controller(setup)
    return made


def load_addon(name: str, setup: Setup) -> Component:
    """The add-on of that name. Raises UsageError."""
    if name not in ADDONS:
        raise UsageError(
            f"there is no add-on {name!r}", fix=f"addons has any of {', '.join(ADDONS)}"
        )
    made: Component = import_module(ADDONS[name][0]).addon(setup)
    return made
