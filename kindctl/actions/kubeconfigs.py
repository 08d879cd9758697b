"""`kubeconfig`: the environment's own file, and its entries in kubectl's default file."""

from __future__ import annotations

from pathlib import Path

from kindctl import kubeconfig
from kindctl.actions.environments import open_environment, provider_of
from kindctl.errors import UsageError
from kindctl.tools.protocols import Tools


def kubeconfig_path(name: str, tools: Tools) -> Path:
    """Write the environment's kubeconfig anew from the node, and return its path. For an existing
    cluster, return the user's own kubeconfig.

    Raises UsageError if the environment does not run.
    """
    with open_environment(tools, name):
        return provider_of(tools, name).kubeconfig


def merge_kubeconfig(name: str, tools: Tools) -> Path:
    """Add the environment's entries to kubectl's default file, and return the path of that file.

    Raises UsageError if the environment is in an existing cluster.
    """
    provider = provider_of(tools, name)
    if provider.preexisting:
        raise UsageError(
            f"environment {name!r} uses a cluster that is in your own kubeconfig already",
            fix=f"kubectl --context {provider.context}",
        )
    path = kubeconfig_path(name, tools)
    target = kubeconfig.default_file()
    merged = kubeconfig.merge_into(tools.host.read(target), tools.host.read(path) or "")
    tools.host.write(target, merged, 0o600)
    return target
