"""Rejects a kindctl.yaml that would move an environment to another cluster and leave the old one behind."""

from __future__ import annotations

from kindctl.errors import KindctlError, MachineError, NotOursError, UsageError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Absent
from kindctl.providers.base import Provider
from kindctl.providers.existing import (
    ExistingProvider,
    context_file,
    delete_saved_context,
    saved_provider,
)
from kindctl.tools.protocols import Tools


def refuse_a_move(provider: Provider, name: str, tools: Tools) -> None:
    """Check that no environment of this name exists in a cluster other than the provider's.

    Raises UsageError if such an environment exists or may exist: this machine would lose track of what was
    applied there. A saved context is deleted if its environment no longer exists.
    """
    known = saved_provider(tools, name)
    if known is None:
        if provider.preexisting and _is_on_kind(tools, name):
            raise _elsewhere(name, f"kind-{name}")
        return
    if isinstance(provider, ExistingProvider) and _is_same_cluster(known, provider):
        return
    exists = _exists(known)
    if exists is None:
        raise _elsewhere(
            name,
            known.context,
            why="that cluster does not answer at the moment, so the environment may still exist",
            otherwise=f"; if that cluster is gone for good: rm {context_file(name)}",
        )
    if exists:
        raise _elsewhere(name, known.context)
    delete_saved_context(name)


def _elsewhere(name: str, context: str, *, why: str = "", otherwise: str = "") -> UsageError:
    return UsageError(
        f"environment {name!r} already exists in the cluster of context {context}",
        why=why,
        fix=f"run `kindctl down {name}` first, or choose another name with --name{otherwise}",
        code="environment-elsewhere",
    )


def _is_on_kind(tools: Tools, name: str) -> bool:
    try:
        return bool(tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: name}))
    except MachineError:  # existing clusters can be used without an engine
        return False


def _is_same_cluster(one: ExistingProvider, other: ExistingProvider) -> bool:
    """Return whether both arguments lead to the same API server. Context names are not enough: contexts get
    renamed, and different kubeconfigs use the same name for different clusters."""
    if (one.context, one.kubeconfig) == (other.context, other.kubeconfig):
        return True
    try:
        return one.address().rstrip("/") == other.address().rstrip("/")
    except UsageError:  # the context of one of them no longer exists
        return False


def _exists(provider: ExistingProvider) -> bool | None:
    """Return whether the environment is in that cluster, or None if the cluster does not answer."""
    try:
        provider.address()
        return not isinstance(provider.observe(), Absent)
    except (UsageError, NotOursError):
        # The context no longer exists, or another environment is in the cluster.
        return False
    except KindctlError:
        return None
