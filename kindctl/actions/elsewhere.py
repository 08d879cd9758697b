"""An environment is in one cluster: a file that names another one would leave it behind where it is."""

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
    """Raises UsageError where an environment of this name is in another cluster than the provider's, or may
    be: what was applied there would be lost. One that is there no longer is forgotten."""
    there = saved_provider(tools, name)
    if there is None:
        if provider.preexisting and _is_on_kind(tools, name):
            raise _elsewhere(name, f"kind-{name}")
        return
    if isinstance(provider, ExistingProvider) and _is_same(there, provider):
        return
    answers = _has(there)
    if answers is None:
        raise _elsewhere(
            name,
            there.context,
            why="that cluster does not answer now, so it may still be there",
            otherwise=f"; or, if that cluster has gone for good: rm {context_file(name)}",
        )
    if answers:
        raise _elsewhere(name, there.context)
    delete_saved_context(name)


def _elsewhere(name: str, context: str, *, why: str = "", otherwise: str = "") -> UsageError:
    return UsageError(
        f"environment {name!r} is in the cluster of context {context}",
        why=why,
        fix=f"kindctl down {name} first, or choose another name with --name{otherwise}",
        code="environment-elsewhere",
    )


def _is_on_kind(tools: Tools, name: str) -> bool:
    try:
        return bool(tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: name}))
    except MachineError:  # an existing cluster can be left without an engine
        return False


def _is_same(one: ExistingProvider, other: ExistingProvider) -> bool:
    """By the API server where they are written otherwise: contexts get renamed, and different kubeconfigs
    give one name to different clusters."""
    if (one.context, one.kubeconfig) == (other.context, other.kubeconfig):
        return True
    try:
        return one.address().rstrip("/") == other.address().rstrip("/")
    except UsageError:  # one of them leads nowhere
        return False


def _has(provider: ExistingProvider) -> bool | None:
    """Whether the environment is in that cluster; None: it does not say."""
    try:
        provider.address()
        return not isinstance(provider.observe(), Absent)
    except (UsageError, NotOursError):  # its context has gone, or another environment is in it
        return False
    except KindctlError:
        return None
