"""Functions on Kubernetes objects of any kind, live or desired.

In YAML a missing field and a field that is null mean the same, so the functions that read a mapping or
a list return an empty one for both.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from kindctl.models import ENVIRONMENT_LABEL, MANAGED_LABEL, MANAGER, Object, ObjectRef

WEBHOOK_CONFIGURATIONS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Kinds that are applied when the pods of their component are ready: before that, the API server would
call webhooks that do not answer yet, and refuse what others apply."""


def section(part: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return the mapping at a path of keys, `section(listener, "allowedRoutes", "namespaces")`;
    empty if any of them is missing or null."""
    found: Any = part
    for key in keys:
        found = found.get(key) or {}
    return found  # type: ignore[no-any-return]


def entries(part: Mapping[str, Any], *keys: str) -> list[Any]:
    """Return the list at a path of keys, `entries(ingress, "spec", "rules")`; empty if any of them
    is missing or null."""
    return section(part, *keys[:-1]).get(keys[-1]) or []


def spec_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    return section(obj, "spec")


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return section(obj, "metadata", "annotations")


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return section(obj, "metadata", "labels")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """Return the object's namespace; empty if it has none."""
    return str(section(obj, "metadata").get("namespace") or "")


def api_group(api_version: str) -> str:
    """Return the API group: "apps" for "apps/v1", empty for "v1", the core group."""
    return api_version.rpartition("/")[0]


def is_tcp(port: Mapping[str, Any]) -> bool:
    """Return whether an entry of `ports`, of a Service or a container, is a TCP port, which is
    Kubernetes' default."""
    return port.get("protocol") in (None, "TCP")


def is_going(live: Object) -> bool:
    """Return whether the object is being deleted: it stays until its finalizers have run."""
    return "deletionTimestamp" in live["metadata"]


def environment_selector(environment: str) -> str:
    """Return the label selector for all objects that kindctl made for this environment."""
    return ",".join(f"{name}={value}" for name, value in own_labels(environment).items())


def own_labels(environment: str) -> dict[str, str]:
    """Return the labels that kindctl puts on every object of this environment."""
    return {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: environment}


def is_applied(live: Object) -> bool:
    """Return whether kindctl's field manager has applied the object."""
    managers = live["metadata"].get("managedFields") or ()
    return any(entry.get("manager") == MANAGER for entry in managers)


def is_managed(live: Object) -> bool:
    """Return whether kindctl made the object: by its label, or by its field manager if somebody has
    removed the label."""
    return labels_of(live).get(MANAGED_LABEL) == MANAGER or is_applied(live)


def condition(obj: Object, kind: str) -> Object:
    """Return the condition of this type in the object's status; empty if there is none."""
    conditions = entries(obj, "status", "conditions")
    return next((dict(entry) for entry in conditions if entry.get("type") == kind), {})


def is_true(obj: Object, kind: str) -> bool:
    """Return whether the object's condition of this type has status True."""
    return condition(obj, kind).get("status") == "True"


def is_ready(pod: Object) -> bool:
    return is_true(pod, "Ready")


def secret(ref: ObjectRef, values: Mapping[str, bytes], kind: str = "Opaque") -> Object:
    """Return a Secret of that type with these values."""
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "type": kind,
        "data": {key: base64.b64encode(value).decode() for key, value in values.items()},
    }


def secret_values(found: Object | None, keys: Sequence[str]) -> list[bytes]:
    """Return the values of these keys of a Secret; empty if there is no Secret, or if one of the
    keys is missing."""
    try:
        data = section(found or {}, "data")
        return [base64.b64decode(data[key], validate=True) for key in keys]
    except (KeyError, TypeError, binascii.Error):
        return []
