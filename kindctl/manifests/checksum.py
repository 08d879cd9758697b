"""Makes a workload roll, and a Job run again, when a ConfigMap or Secret that it reads has changed.

Kubernetes rolls a workload only when its pod template changes. So the template gets a digest of what
it reads, as far as the same component applies it.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from kindctl.models import Object

ANNOTATION = "kindctl.dev/checksum"
ROLLING = {
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
}  # a Job with another template runs again
SOURCES = ("ConfigMap", "Secret")

ConfigRef = tuple[str, str]  # kind, name


def with_checksums(objects: Sequence[Object]) -> list[Object]:
    """The objects, with the annotation on the pod templates that read one of the others.

    They must have their namespaces, and Secrets `data` instead of `stringData`. Equal contents give
    equal digests.
    """
    contents = {
        (obj["metadata"].get("namespace"), obj["kind"], obj["metadata"]["name"]): [
            obj.get("data"),
            obj.get("binaryData"),
        ]
        for obj in objects
        if obj["kind"] in SOURCES
    }
    result = []
    for obj in objects:
        if obj["kind"] in ROLLING:
            namespace = obj["metadata"].get("namespace")
            template = obj["spec"].get("template") or {}
            found = [
                [*source, contents[namespace, *source]]
                for source in sorted(set(references(template.get("spec") or {})))
                if (namespace, *source) in contents
            ]
            if found:
                obj = copy.deepcopy(obj)  # noqa: PLW2901
                template = obj["spec"]["template"]
                meta = template.get("metadata") or {}
                notes = {**(meta.get("annotations") or {}), ANNOTATION: _digest(found)}
                template["metadata"] = {**meta, "annotations": notes}
        result.append(obj)
    return result


def references(pod: Object) -> Iterator[ConfigRef]:
    """ConfigMaps and Secrets that a pod's spec reads: volumes, projected volumes, env, envFrom."""
    for volume in pod.get("volumes") or ():
        yield from _of_volume(volume)
        for part in (volume.get("projected") or {}).get("sources") or ():
            yield from _named(part, "configMap", "secret")
    for container in [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]:
        for source in container.get("envFrom") or ():
            yield from _named(source, "configMapRef", "secretRef")
        for variable in container.get("env") or ():
            yield from _named(variable.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef")


def _of_volume(volume: Object) -> Iterator[ConfigRef]:
    yield from _named(volume, "configMap", "secret")
    if name := (volume.get("secret") or {}).get("secretName"):  # only here it is not `name`
        yield "Secret", name


def _named(place: Object, *fields: str) -> Iterator[ConfigRef]:
    for kind, field in zip(SOURCES, fields, strict=True):
        if name := (place.get(field) or {}).get("name"):
            yield kind, name


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
