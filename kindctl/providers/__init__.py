"""Providers, where clusters come from. There is one file per provider; PROVIDERS lists them."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

PROVIDERS: dict[str, tuple[str, str]] = {
    "kind": ("kindctl.providers.kind:KindProvider", "a local cluster in containers, by kind"),
    "existing": (
        "kindctl.providers.existing:ExistingProvider",
        "an existing cluster, by a context of the kubeconfig",
    ),
}
"""Name in kindctl.yaml -> ("module:class", one-line summary)."""


def load_provider(name: str) -> Any:
    """Return the class of a providers.base.Provider; each class takes different options."""
    return resolve_name(PROVIDERS[name][0])
