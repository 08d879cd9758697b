"""What is installed into the cluster: ingress controllers, add-ons and apps.

One file or folder for each controller and add-on. CONTROLLERS and ADDONS list them, and all other code
that needs their names reads these lists. A module is imported when it is needed.
"""

from __future__ import annotations

from kindctl.components.base import Addon, Controller, Setup
from kindctl.plugins import load_plugin

CONTROLLERS: dict[str, tuple[str, str, str]] = {
    "nginx": (
        "kindctl.components.nginx:IngressNginx",
        "ingress-nginx",
        "ingress-nginx as on every kind cluster (retired upstream in March 2026)",
    ),
    "traefik": (
        "kindctl.components.traefik:Traefik",
        "traefik",
        "Traefik, which understands nginx's annotations too",
    ),
    "custom": (
        "kindctl.components.custom:Custom",
        "custom",
        "one that you bring: its manifests, or its chart",
    ),
}
"""Name in kindctl.yaml -> ("module:class", name of its component, one-line summary)."""

ADDONS: dict[str, tuple[str, str]] = {
    "metrics-server": (
        "kindctl.components.metrics_server:MetricsServer",
        "what nodes and pods use, for `kubectl top` and autoscalers",
    ),
    "metallb": (
        "kindctl.components.metallb:MetalLB",
        "addresses for Services of type LoadBalancer",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def controller_class(name: str) -> type[Controller]:
    """Return the class of the ingress controller that kindctl.yaml calls by this name. Raises
    UsageError."""
    found: type[Controller] = load_plugin(
        CONTROLLERS, name, kind="ingress controller", choices="ingress.controller is none or one of"
    )
    return found


def load_addon(name: str, setup: Setup) -> Addon:
    """Return the add-on that kindctl.yaml calls by this name. Raises UsageError."""
    found: type[Addon] = load_plugin(ADDONS, name, kind="add-on", choices="addons takes any of")
    return found(setup)
