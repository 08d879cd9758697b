"""Generated passwords and tokens.

A Secret with the annotation `kindctl.dev/generate: "password,token"` gets a random value for each of
these keys when it is first created. Later the values are read from the cluster, so that what was set
up with them (a database) keeps working; a key that is added later gets its own value. There is a copy in
namespace kindctl-system, from which a deleted Secret is restored with the same values: a new password would
lock the app out of a database that still has the old one.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping, MutableMapping

from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster

ANNOTATION = "kindctl.dev/generate"
RANDOM_BYTES = 24  # 32 characters of base64: letters, digits, "-" and "_"


def wanted(secret: Object) -> list[str]:
    """Return the keys for which the annotation asks for generated values, in its order."""
    annotations = secret["metadata"].get("annotations") or {}
    named = str(annotations.get(ANNOTATION) or "")
    return [key.strip() for key in named.split(",") if key.strip()]


def given_too(secret: Object) -> list[str]:
    """Return the keys for which the annotation asks for a generated value although the manifest sets
    one."""
    given = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    return [key for key in wanted(secret) if key in given]


def complete(
    secret: Object,
    existing: Callable[[], Mapping[str, str]],
    made: MutableMapping[str, str],
) -> None:
    """Add the generated values to a Secret, and move all values to `data`.

    `existing` returns the values that the cluster has. This function calls `existing` only if the Secret
    needs a generated value. `made` keeps the values generated for a Secret that is not in the cluster yet,
    so that the next call returns the same values. `stringData` becomes `data` because the API returns
    `data`; otherwise the Secret would look like drift.
    """
    data: dict[str, str] = dict(secret.get("data") or {})
    for key, value in (secret.pop("stringData", None) or {}).items():
        data[key] = _encoded(str(value))
    if keys := wanted(secret):
        found = existing()
        for key in keys:
            if key in data:
                continue
            if not found.get(key) and key not in made:
                made[key] = _encoded(secrets.token_urlsafe(RANDOM_BYTES))
            data[key] = found.get(key) or made[key]
    if data:
        secret["data"] = data


def known(cluster: Cluster, ref: ObjectRef, copy_ref: ObjectRef) -> dict[str, str]:
    """Return the values of a Secret in the cluster, as key -> base64. A key that the Secret lacks gets its
    value from the copy."""
    own = (cluster.get(ref) or {}).get("data") or {}
    prefix = f"{ref.namespace}.{ref.name}."
    stored = (cluster.get(copy_ref) or {}).get("data") or {}
    return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)} | own


def copied(secret: Object) -> dict[str, str]:
    """Return the generated values of a completed Secret, under the keys of the copy: NAMESPACE.NAME.KEY."""
    meta = secret["metadata"]
    return {
        f"{meta['namespace']}.{meta['name']}.{key}": secret["data"][key] for key in wanted(secret)
    }


def copy_of(ref: ObjectRef, values: Mapping[str, str]) -> Object:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "data": dict(values),
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
