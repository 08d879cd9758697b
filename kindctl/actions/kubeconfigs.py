"""`kubeconfig`: the environment's own file, and its entries in kubectl's default one when asked for."""

from __future__ import annotations

from pathlib import Path

from kindctl import kubeconfig
from kindctl.actions.environments import open_environment, provider_of
from kindctl.errors import UsageError
from kindctl.tools.protocols import Tools


def kubeconfig_path(name: str, tools: Tools) -> Path:
    """Written anew from the node; for an existing cluster the user's own. Raises UsageError when the
    environment does not run."""
    with open_environment(tools, name):
        return provider_of(tools, name).kubeconfig


def merge_kubeconfig(name: str, tools: Tools) -> Path:
    """Put the environment's entries into the file that kubectl reads, and return that file."""
    provider = provider_of(tools, name)
    if provider.preexisting:
        raise UsageError(
            f"environment {name!r} is in a cluster of your own kubeconfig",
            fix=f"kubectl --context {provider.context}",
        )
    path = kubeconfig_path(name, tools)
    target = kubeconfig.default_file()
    merged = kubeconfig.merge_into(tools.host.read(target), tools.host.read(path) or "")
    tools.host.write(target, merged, 0o600)
    return target
