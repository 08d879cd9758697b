"""Passwords and tokens that nobody has to write down.

A Secret with the annotation `kindctl.dev/generate: "password,token"` gets a random value for each of
these keys when it is first created. From then on the cluster's own values are read back, so that what
was set up with them (a database) goes on working; a key that is added later gets a value of its own.
A copy in namespace kindctl-system brings a deleted Secret back with the same values: a new password
would lock the app out of the database that still has the old one.
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
    """The keys that the annotation names, in its order."""
    annotations = secret["metadata"].get("annotations") or {}
    named = str(annotations.get(ANNOTATION) or "")
    return [key.strip() for key in named.split(",") if key.strip()]


def given_too(secret: Object) -> list[str]:
    """Keys that are to be generated and have a value in the manifest: one of both is a mistake."""
    given = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    return [key for key in wanted(secret) if key in given]


def complete(
    secret: Object,
    existing: Callable[[], Mapping[str, str]],
    made: MutableMapping[str, str],
) -> None:
    """Fill in what is generated, and put all values under `data`, where the API has them.

    `existing` gives the values that the cluster knows; it is asked only when something is generated.
    `made` keeps what was generated for a Secret that is not there yet, so that the next call gives
    the same. `stringData` goes over to `data` because the API never shows it again: what is never
    seen again cannot be compared.
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
    """Key -> value (base64) of a Secret: its own where it is there, else those of the copy."""
    own = (cluster.get(ref) or {}).get("data") or {}
    prefix = f"{ref.namespace}.{ref.name}."
    stored = (cluster.get(copy_ref) or {}).get("data") or {}
    return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)} | own


def copied(secret: Object) -> dict[str, str]:
    """The generated values of a completed Secret, as the copy has them: NAMESPACE.NAME.KEY -> value."""
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
