"""What is the same for Kubernetes objects of every kind, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindctl.models import ENVIRONMENT_LABEL, MANAGED_LABEL, MANAGER, Object


def api_group(api_version: str) -> str:
    """ "apps" of "apps/v1"; empty of "v1", the core group."""
    return api_version.rpartition("/")[0]


def is_tcp(port: Mapping[str, Any]) -> bool:
    """Of an entry of `ports`, a Service's or a container's."""
    return port.get("protocol") in (None, "TCP")


def is_going(live: Object) -> bool:
    """Whether it is being deleted: it stays until its finalizers are through."""
    return "deletionTimestamp" in live["metadata"]


def labels_of(environment: str) -> str:
    """The label selector of what kindctl made for this environment."""
    return ",".join(f"{name}={value}" for name, value in own_labels(environment).items())


def own_labels(environment: str) -> dict[str, str]:
    """The labels of what kindctl makes for this environment."""
    return {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: environment}


def is_applied(live: Object) -> bool:
    """Whether kindctl's field manager has applied the object."""
    managers = live["metadata"].get("managedFields") or ()
    return any(entry.get("manager") == MANAGER for entry in managers)


def is_managed(live: Object) -> bool:
    """Whether kindctl made the object: by its label, or by its field manager if somebody has removed the
    label."""
    return labels_on(live).get(MANAGED_LABEL) == MANAGER or is_applied(live)


def condition(obj: Object, kind: str) -> Object:
    """The condition of this type in the object's status; empty when it has none."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((dict(entry) for entry in conditions if entry.get("type") == kind), {})


def is_true(obj: Object, kind: str) -> bool:
    """Whether the object's condition of this type has status True."""
    return condition(obj, kind).get("status") == "True"


def is_ready(pod: Object) -> bool:
    return is_true(pod, "Ready")


def labels_on(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}
