"""Where clusters come from. One file per provider; PROVIDERS is the list of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PROVIDERS: dict[str, tuple[str, str]] = {
    "kind": ("kindctl.providers.kind:KindProvider", "a local cluster in containers, by kind"),
    "existing": (
        "kindctl.providers.existing:ExistingProvider",
        "a cluster that is there already, by a context of the kubeconfig",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def load_provider(name: str) -> Any:
    """The class of that name, a providers.base.Provider; each is made with options of its own."""
    module, _, found = PROVIDERS[name][0].partition(":")
    return getattr(import_module(module), found)
