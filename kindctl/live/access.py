"""How a step asks the cluster."""

from __future__ import annotations

from collections.abc import Callable

from kindctl.errors import ApiError
from kindctl.models import Absent, NotReady, State
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Cluster


def ask(provider: Provider, look: Callable[[Cluster], State]) -> State:
    """What `look` sees; Absent without a cluster, NotReady while its API does not answer. Raises
    ApiError where waiting does not help."""
    cluster = provider.cluster()
    if cluster is None:
        return Absent("no cluster")
    if not cluster.alive():
        return NotReady("the API server does not answer")
    try:
        return look(cluster)
    except ApiError as error:
        if not error.passing:
            raise
        return NotReady(error.why or error.what)
