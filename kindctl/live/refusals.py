"""What it means that the API refuses an object: it may pass, or something has to be replaced or decided."""

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
    """Whether the same apply may succeed once others have done their part: a webhook comes up, a
    namespace gets its service account, an operator defines its kinds."""
    return (
        error.passing
        or (error.status == 403 and "error looking up service account" in error.why)
        or (error.status == 404 and "the cluster has no" in error.what)
    )


def is_immutable(error: ApiError) -> bool:
    """Whether the object exists and the API never changes the refused field of it."""
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
    """Whether the API would take this merge patch. It would not if the new list itself is invalid. Raises
    ApiError that may pass."""
    try:
        cluster.merge_patch(ref, patch, dry_run=True)
    except ApiError as error:
        if error.passing:
            raise
        return False
    return True


def explained(ref: ObjectRef, error: ApiError, context: str) -> KindctlError:
    """The error for the user: immutable-field, with the command that deletes the object in the cluster of
    this context, where Kubernetes never makes the change; else `error` itself."""
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
