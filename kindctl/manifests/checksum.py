"""Makes a workload roll out, and a Job run again, when a ConfigMap or Secret that it reads has changed.

Kubernetes rolls out a workload only when its pod template changes. So the template gets an annotation with
a digest of the ConfigMaps and Secrets that it reads, if the same component applies them.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from kindctl.kube_objects import annotations_of, entries, section
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
    """Return the objects, with the annotation on each pod template that reads another one of them.

    Objects must have their namespaces set, and Secrets have `data`, not `stringData`. Equal
    contents give equal digests.
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
            found = [
                [*source, contents[namespace, *source]]
                for source in sorted(set(references(section(obj, "spec", "template", "spec"))))
                if (namespace, *source) in contents
            ]
            if found:
                obj = copy.deepcopy(obj)  # noqa: PLW2901
                template = obj["spec"]["template"]
                annotations = {**annotations_of(template), ANNOTATION: _digest(found)}
                template["metadata"] = {**section(template, "metadata"), "annotations": annotations}
        result.append(obj)
    return result


def references(pod: Object) -> Iterator[ConfigRef]:
    """Yield the ConfigMaps and Secrets that a pod spec reads: in volumes, projected volumes, env and
    envFrom."""
    for volume in entries(pod, "volumes"):
        yield from _named(volume, "configMap", "secret")
        if name := section(volume, "secret").get("secretName"):  # only here it is not `name`
            yield "Secret", name
        for part in entries(volume, "projected", "sources"):
            yield from _named(part, "configMap", "secret")
    for container in [*entries(pod, "initContainers"), *entries(pod, "containers")]:
        for source in entries(container, "envFrom"):
            yield from _named(source, "configMapRef", "secretRef")
        for variable in entries(container, "env"):
            yield from _named(section(variable, "valueFrom"), "configMapKeyRef", "secretKeyRef")


def _named(part: Object, *fields: str) -> Iterator[ConfigRef]:
    for kind, field in zip(SOURCES, fields, strict=True):
        if name := section(part, field).get("name"):
            yield kind, name


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
