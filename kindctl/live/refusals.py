"""Interprets the API's refusals: they may pass later, be solved by a patch, or need the user."""

from __future__ import annotations

import re
from typing import Any

from kindctl.errors import ApiError, KindctlError, NotOursError
from kindctl.kube_objects import labels_of
from kindctl.models import ENVIRONMENT_LABEL, Object, ObjectRef
from kindctl.tools.protocols import Cluster

IMMUTABLE = re.compile(
    r"immutable|may not be changed|may not change|cannot change|are forbidden", re.IGNORECASE
)
INVALID_FIELD = re.compile(r"is invalid: ([\w.\[\]]+):")
INVALID_LIST = re.compile(r"is invalid: \[?([\w.]+)\[\d+\]")  # of the first field that is named
OLD_DEFAULTS = "spec.strategy.rollingUpdate: Forbidden"


def may_pass_later(error: ApiError) -> bool:
    """Whether the same apply may succeed later: when a webhook is up, a namespace has its service account,
    or an operator has defined its kinds."""
    return (
        error.passing
        or (error.status == 403 and "error looking up service account" in error.why)
        or (error.status == 404 and "the cluster has no" in error.what)
    )


def is_immutable(error: ApiError) -> bool:
    """Whether the API refused to change a field that cannot be changed once the object exists."""
    return error.status == 422 and bool(IMMUTABLE.search(error.why))


def refused_field(error: ApiError) -> str:
    found = INVALID_FIELD.search(error.why)
    return found.group(1) if found else "a field"


def first_line(error: ApiError) -> str:
    line = (error.why or error.what).strip().splitlines()[0]
    return line if len(line) <= 300 else line[:300] + "…"


def replacing_patch(obj: Object, error: ApiError) -> tuple[str, Object | None]:
    """The path of the list of `obj` that the API calls invalid, and a merge patch that replaces it.

    Apply merges the list of `obj` into what the live object has, and the two may not go together: ports
    merge by number, and a port whose number was changed keeps the name that the new one has too. The same
    is true of the defaults that the API gave to one strategy of a Deployment and that the other strategy
    may not have.
    """
    if error.status == 422 and OLD_DEFAULTS in error.why:
        strategy = {**obj["spec"]["strategy"], "rollingUpdate": None}
        return "spec.strategy", {"spec": {"strategy": strategy}}
    found = INVALID_LIST.search(error.why) if error.status == 422 else None
    path = found.group(1) if found else ""
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return path, None
    patch: Any = value
    for name in reversed(path.split(".")):
        patch = {name: patch}
    return path, patch


def accepts_patch(cluster: Cluster, ref: ObjectRef, patch: Object) -> bool:
    """Whether the API accepts this merge patch in a dry run. It refuses a list that is itself invalid.
    Raises ApiError if the refusal may pass."""
    try:
        cluster.merge_patch(ref, patch, dry_run=True)
    except ApiError as error:
        if error.passing:
            raise
        return False
    return True


def explained(ref: ObjectRef, error: ApiError, context: str) -> KindctlError:
    """The error for the user. If Kubernetes never makes the change, it has code immutable-field and names
    the command that deletes the object, with this kubectl context; otherwise it is `error` itself."""
    if not is_immutable(error):
        return error
    scope = f" -n {ref.namespace}" if ref.namespace else ""
    delete = f"kubectl --context {context}{scope} delete {ref.kind.lower()} {ref.name}"
    data = " (this deletes its data)" if ref.kind == "PersistentVolumeClaim" else ""
    return KindctlError(
        f"{ref}: {refused_field(error)} cannot be changed once it exists",
        why=first_line(error),
        fix=f"undo the change, or create the object again: {delete} && kindctl up{data}",
        code="immutable-field",
    )


def foreign_object(live: Object) -> NotOursError:
    """The error for an object that exists and that kindctl must not change."""
    owner = labels_of(live).get(ENVIRONMENT_LABEL)
    return NotOursError(
        f"{ObjectRef.of(live)} exists and "
        + (f"belongs to environment {owner!r}" if owner else "was not made by kindctl"),
        fix="delete or rename it, or rename yours",
    )
