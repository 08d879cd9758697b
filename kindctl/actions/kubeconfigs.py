"""`kubeconfig`: the environment's own file, and its entries in kubectl's default one when asked for."""

from __future__ import annotations

from pathlib import Path

from kindctl import kubeconfig
from kindctl.actions.environments import open_environment, provider_of
from kindctl.tools.protocols import Tools


def kubeconfig_path(name: str, tools: Tools) -> Path:
    """Written anew from the node. Raises UsageError when the environment does not run."""
    with open_environment(tools, name):
        return provider_of(tools, name).kubeconfig


def merge_kubeconfig(name: str, tools: Tools) -> Path:
    """Put the environment's entries into the file that kubectl reads, and return that file."""
    path = kubeconfig_path(name, tools)
    target = kubeconfig.default_file()
    merged = kubeconfig.merge_into(tools.host.read(target), tools.host.read(path) or "")
    tools.host.write(target, merged, 0o600)
    return target
