"""Asks the API for many objects at once, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kindctl.errors import ApiError
from kindctl.models import Object
from kindctl.tools.protocols import Cluster

THREADS = 8
UNLISTABLE = {403, 405, 503}  # forbidden, not supported, or its API server does not answer

A = TypeVar("A")
B = TypeVar("B")


def in_parallel(call: Callable[[A], B], arguments: Iterable[A]) -> list[B]:
    """Return the results of `call` for each argument, in the order of the arguments. Raises the error of
    the first call that fails."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, arguments))


def list_kinds(
    cluster: Cluster,
    kinds: Iterable[tuple[str, str]],
    *,
    namespace: str | None = None,
    labels: str = "",
    skip_unlistable: bool = False,
) -> list[Object]:
    """Return all objects of these (apiVersion, kind) pairs with these labels, in one namespace or in all.
    With `skip_unlistable`, kinds that this user may not list, or that cannot be listed at all, are skipped.
    Raises ApiError."""

    def list_kind(kind: tuple[str, str]) -> list[Object]:
        try:
            return list(cluster.list(*kind, namespace=namespace, labels=labels))
        except ApiError as error:
            if skip_unlistable and error.status in UNLISTABLE:
                return []
            raise

    return [obj for objects in in_parallel(list_kind, kinds) for obj in objects]
