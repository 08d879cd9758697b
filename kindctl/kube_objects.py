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
    return f"{MANAGED_LABEL}={MANAGER},{ENVIRONMENT_LABEL}={environment}"


def condition(obj: Object, kind: str) -> Object:
    """The condition of this type in the object's status; empty where there is none."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((dict(entry) for entry in conditions if entry.get("type") == kind), {})


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready of a pod or node is True."""
    return bool(condition(obj, "Ready").get("status") == "True")
