"""`down`: remove everything that belongs to an environment, even if its API server does not answer."""

from __future__ import annotations

import shutil

from kindctl import kubeconfig
from kindctl.actions.environments import provider_of
from kindctl.live.withdraw import withdraw
from kindctl.models import Absent, Change, Say
from kindctl.paths import environment_dir
from kindctl.tools.lock import environment_lock
from kindctl.tools.protocols import Tools

LOCK_WAIT = 20.0


def down(name: str, tools: Tools, *, say: Say = lambda _: None) -> Change:
    """Remove an environment's containers with their volumes, its files and its kubeconfig entries. In an
    existing cluster, remove what kindctl applied there. The returned Change is empty if there was no such
    environment."""
    with environment_lock(name, wait=LOCK_WAIT, say=say):
        done = ["stopped the port forwards"] if tools.forwards.end(name) else []
        provider = provider_of(tools, name)
        if provider.preexisting and not isinstance(provider.observe(), Absent):
            cluster = provider.cluster()
            done += withdraw(cluster, name, say) if cluster else ()
        done += provider.destroy().done
        if environment_dir(name).exists():
            shutil.rmtree(environment_dir(name))
            if not provider.preexisting:
                done.append("removed the kubeconfig")
        if not provider.preexisting:
            done += _remove_from_default_kubeconfig(name, tools)
    return Change(tuple(done))


def _remove_from_default_kubeconfig(name: str, tools: Tools) -> list[str]:
    default = kubeconfig.default_file()
    merged = tools.host.read(default)
    rest = kubeconfig.without(merged, f"kind-{name}") if merged else None
    if rest is None:
        return []
    tools.host.write(default, rest, 0o600)
    return [f"removed the entries from {default}"]
