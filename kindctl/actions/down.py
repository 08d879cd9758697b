"""`down`: remove an environment, by what it owns; right even when its API is dead."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from kindctl import kubeconfig
from kindctl.actions.environments import provider_of
from kindctl.live.withdraw import withdraw
from kindctl.models import Absent, Change
from kindctl.paths import environment_dir
from kindctl.providers.base import Provider
from kindctl.tools.lock import environment_lock
from kindctl.tools.protocols import Tools

LOCK_WAIT = 20.0


def down(name: str, tools: Tools, *, say: Callable[[str], None] = lambda _: None) -> Change:
    """Containers with their volumes, files and kubeconfig entries; in an existing cluster what was applied
    there. Empty Change: there was none."""
    with environment_lock(name, wait=LOCK_WAIT, say=say):
        done = ["ended its forwards"] if tools.forwards.end(name) else []
        provider = provider_of(tools, name)
        done += _withdrawn(provider, name, say)
        done += provider.destroy().done
        if environment_dir(name).exists():
            shutil.rmtree(environment_dir(name))
            if not provider.preexisting:
                done.append("removed its kubeconfig")
        default = kubeconfig.default_file()
        merged = tools.host.read(default)
        ours = merged and not provider.preexisting
        rest = kubeconfig.without(merged, f"kind-{name}") if merged and ours else None
        if rest is not None:
            tools.host.write(default, rest, 0o600)
            done.append(f"removed its entries from {default}")
    return Change(tuple(done))


def _withdrawn(provider: Provider, name: str, say: Callable[[str], None]) -> Sequence[str]:
    if not provider.preexisting or isinstance(provider.observe(), Absent):
        return ()
    cluster = provider.cluster()
    return withdraw(cluster, name, say) if cluster else ()
