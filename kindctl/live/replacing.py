"""What an apply cannot merge into the object that is there, and has to take the place of it."""

from __future__ import annotations

import re
from typing import Any

from kindctl.errors import ApiError
from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster

REFUSED_LIST = re.compile(r"is invalid: \[?([\w.]+)\[\d+\]")  # of the fault that comes first
OLD_DEFAULTS = "spec.strategy.rollingUpdate: Forbidden"


def list_of_ours(obj: Object, error: ApiError) -> tuple[str, Object | None]:
    """The path of the list of `obj` that the API calls invalid, and a merge patch that replaces it.

    Apply merges ours into what somebody else has put there, and the two may not go together: ports
    merge by number, and a port whose number was changed keeps the name that ours has too. So with
    the defaults that the API gave to one strategy of a Deployment, and that the other may not have.
    """
    if error.status == 422 and OLD_DEFAULTS in error.why:
        strategy = {**obj["spec"]["strategy"], "rollingUpdate": None}
        return "spec.strategy", {"spec": {"strategy": strategy}}
    found = REFUSED_LIST.search(error.why) if error.status == 422 else None
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


def would_take(cluster: Cluster, ref: ObjectRef, patch: Object) -> bool:
    """Not if our own list is what is invalid. Raises ApiError that passes."""
    try:
        cluster.merge_patch(ref, patch, dry_run=True)
    except ApiError as error:
        if error.passing:
            raise
        return False
    return True
