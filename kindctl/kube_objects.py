"""What is the same for Kubernetes objects of every kind, wherever they come from.

YAML may leave a field out or set it to null, and both mean the same: the readers below give an empty
mapping or list for either, so that nobody has to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindctl.models import ENVIRONMENT_LABEL, MANAGED_LABEL, MANAGER, Object

WEBHOOK_CONFIGURATIONS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Kinds that are applied when the pods of their component are ready: before that, the API server would
call webhooks that do not answer yet, and refuse what others apply."""


def section(part: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The mapping at a path of keys, `section(listener, "allowedRoutes", "namespaces")`; empty when any
    of them is missing or null."""
    found: Any = part
    for key in keys:
        found = found.get(key) or {}
    return found  # type: ignore[no-any-return]


def entries(part: Mapping[str, Any], *keys: str) -> list[Any]:
    """The list at a path of keys, `entries(ingress, "spec", "rules")`; empty when any of them is missing
    or null."""
    return section(part, *keys[:-1]).get(keys[-1]) or []


def spec_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    return section(obj, "spec")


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return section(obj, "metadata", "annotations")


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return section(obj, "metadata", "labels")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """The object's namespace; empty for what belongs to none."""
    return str(section(obj, "metadata").get("namespace") or "")


def api_group(api_version: str) -> str:
    """ "apps" of "apps/v1"; empty of "v1", the core group."""
    return api_version.rpartition("/")[0]


def is_tcp(port: Mapping[str, Any]) -> bool:
    """Whether an entry of `ports`, of a Service or a container, is a TCP port: Kubernetes' default."""
    return port.get("protocol") in (None, "TCP")


def is_going(live: Object) -> bool:
    """Whether the object is being deleted: it stays until its finalizers have run."""
    return "deletionTimestamp" in live["metadata"]


def environment_selector(environment: str) -> str:
    """The label selector of everything that kindctl made for this environment."""
    return f"{MANAGED_LABEL}={MANAGER},{ENVIRONMENT_LABEL}={environment}"
