"""Providers, where clusters come from. There is one file per provider; PROVIDERS lists them."""

from __future__ import annotations

from typing import Any

from kindctl.plugins import load_plugin

PROVIDERS: dict[str, tuple[str, str]] = {
    "kind": ("kindctl.providers.kind:KindProvider", "a local cluster in containers, by kind"),
    "existing": (
        "kindctl.providers.existing:ExistingProvider",
        "an existing cluster, by a context of the kubeconfig",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def load_provider(name: str) -> Any:
    """Return the class of a provider. Each class has its own arguments. Raises UsageError."""
    return load_plugin(PROVIDERS, name, kind="provider", choices="cluster.provider is one of")
