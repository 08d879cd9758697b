"""Classifies the reasons why the API rejects an object: the error may be temporary, a patch may solve
it, or the user must act."""

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
    """Whether the same apply may succeed later: once a webhook is up, a namespace has its service account,
    or an operator has defined its kinds."""
    return (
        error.passing
        or (error.status == 403 and "error looking up service account" in error.why)
        or (error.status == 404 and "the cluster has no" in error.what)
    )


def is_immutable(error: ApiError) -> bool:
    """Whether the API rejected a change of a field that cannot be changed once the object exists."""
    return error.status == 422 and bool(IMMUTABLE.search(error.why))


def refused_field(error: ApiError) -> str:
    found = INVALID_FIELD.search(error.why)
    return found.group(1) if found else "a field"


def first_line(error: ApiError) -> str:
    line = (error.why or error.what).strip().splitlines()[0]
    return line if len(line) <= 300 else line[:300] + "…"


def replacing_patch(obj: Object, error: ApiError) -> tuple[str, Object | None]:
    """Return the path of the list that the API calls invalid, and a merge patch that replaces the live list
    with the list in `obj`.

    Apply merges the list in `obj` into the list of the live object, and the result may be invalid. Ports,
    for example, are merged by number: if a port's number was changed, the old port stays and has the same
    name as the new one. Likewise, the API adds defaults for one strategy of a Deployment that the other
    strategy may not have.
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
    """Whether the API accepts this merge patch in a dry run. The API rejects the patch if the patch's list
    is invalid even without the live list. Raises ApiError if the rejection may be temporary."""
    try:
        cluster.merge_patch(ref, patch, dry_run=True)
    except ApiError as error:
        if error.passing:
            raise
        return False
    return True


def explained(ref: ObjectRef, error: ApiError, context: str) -> KindctlError:
    """Return the error that the user sees. If Kubernetes never allows the change, return a new error with
    code immutable-field, which names the command that deletes the object in this kubectl context. Otherwise
    return `error` itself."""
    if not is_immutable(error):
        return error
    scope = f" -n {ref.namespace}" if ref.namespace else ""
    delete = f"kubectl --context {context}{scope} delete {ref.kind.lower()} {ref.name}"
    data = " (this deletes the data of the claim)" if ref.kind == "PersistentVolumeClaim" else ""
    return KindctlError(
        f"{ref}: {refused_field(error)} cannot be changed once it exists",
        why=first_line(error),
        fix=f"undo the change, or delete and recreate the object{data}: {delete} && kindctl up",
        code="immutable-field",
    )


def foreign_object(live: Object) -> NotOursError:
    """Return the error for an existing object that kindctl must not change."""
    owner = labels_of(live).get(ENVIRONMENT_LABEL)
    return NotOursError(
        f"{ObjectRef.of(live)} exists and "
        + (f"belongs to environment {owner!r}" if owner else "was not made by kindctl"),
        fix="delete or rename the existing object, or rename yours",
    )
