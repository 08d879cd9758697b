"""The types of the fields that kindctl reads from manifests.

All code behind read_manifests relies on them without checking again: a `spec` is a mapping if it is set, a
port of a Service has a number. The API server would refuse the same objects, but later and without a
line. Fields that are not listed here may be anything, and null is the same as a missing field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kindctl.problems import FieldPath, FieldProblem, dotted


@dataclass(frozen=True)
class Needed:
    """Marks a required field: the field must be set, and its value must match `shape`."""

    shape: Any


ANYTHING = object
TEXT, NUMBER = (str,), (int,)
EITHER = (int, str)
MAPPING: Mapping[str, Any] = {}
TEXTS: Mapping[str, Any] = {"*": TEXT}  # whatever its keys are
NAMED = {"name": TEXT}

META = {"labels": TEXTS, "annotations": TEXTS}

CONTAINERS = [
    {
        "image": TEXT,
        "imagePullPolicy": TEXT,
        "ports": [
            {"name": TEXT, "containerPort": Needed(NUMBER), "hostPort": NUMBER, "protocol": TEXT}
        ],
        "env": [{"valueFrom": {"configMapKeyRef": NAMED, "secretKeyRef": NAMED}}],
        "envFrom": [{"configMapRef": NAMED, "secretRef": NAMED}],
        "resources": MAPPING,
    }
]
VOLUMES = [
    {
        "configMap": NAMED,
        "secret": {"secretName": TEXT},
        "projected": {"sources": [{"configMap": NAMED, "secret": NAMED}]},
        "image": {"reference": TEXT},
    }
]
POD = {"containers": CONTAINERS, "initContainers": CONTAINERS, "volumes": VOLUMES}
TEMPLATE = {"metadata": META, "spec": POD}
WORKLOAD = {"spec": Needed({"selector": {"matchLabels": TEXTS}, "template": TEMPLATE})}

SERVICE_PORT = {
    "port": Needed(NUMBER),
    "nodePort": NUMBER,
    "targetPort": EITHER,
    **dict.fromkeys(("name", "protocol", "appProtocol"), TEXT),
}
SERVICE = {"type": TEXT, "clusterIP": TEXT, "selector": TEXTS, "ports": [SERVICE_PORT]}

BACKEND = {"service": {"name": TEXT, "port": {"number": NUMBER, "name": TEXT}}}
INGRESS = {
    "ingressClassName": TEXT,
    "defaultBackend": BACKEND,
    "rules": [
        {"host": TEXT, "http": {"paths": [{"path": TEXT, "pathType": TEXT, "backend": BACKEND}]}}
    ],
    "tls": [{"hosts": [TEXT], "secretName": TEXT}],
}

LISTENER = {
    **dict.fromkeys(("name", "hostname", "protocol"), TEXT),
    "port": NUMBER,
    "tls": {"certificateRefs": [NAMED]},
    "allowedRoutes": {"namespaces": {"from": TEXT}},
}
GATEWAY = {"gatewayClassName": TEXT, "listeners": [LISTENER]}
REF = {**dict.fromkeys(("group", "kind", "namespace", "name", "sectionName"), TEXT), "port": NUMBER}
MATCH = {
    "path": {"type": TEXT, "value": TEXT},
    "method": TEXT,
    "headers": [ANYTHING],
    "queryParams": [ANYTHING],
}
ROUTE = {"parentRefs": [REF], "hostnames": [TEXT]}
HTTP_ROUTE = {**ROUTE, "rules": [{"matches": [MATCH], "backendRefs": [REF]}]}

DEFINITION = {
    "group": Needed(TEXT),
    "scope": TEXT,
    "names": Needed({"kind": Needed(TEXT), "plural": TEXT}),
}

EVERY: Mapping[str, Any] = {"metadata": {"namespace": TEXT, **META}}

SHAPES: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), WORKLOAD),
    "ConfigMap": {"data": MAPPING, "binaryData": MAPPING},
    "CronJob": {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
    "CustomResourceDefinition": {"spec": Needed(DEFINITION)},
    "GRPCRoute": {"spec": ROUTE},
    "Gateway": {"spec": GATEWAY},
    "HTTPRoute": {"spec": HTTP_ROUTE},
    "HorizontalPodAutoscaler": {"spec": {"minReplicas": NUMBER, "maxReplicas": NUMBER}},
    "Ingress": {"spec": INGRESS},
    "List": {"items": [ANYTHING]},
    "Pod": {"spec": POD},
    "Secret": {"data": MAPPING, "stringData": MAPPING},
    "Service": {"spec": SERVICE},
    "TLSRoute": {"spec": ROUTE},
}
"""Kind -> its fields, in addition to those that every object has."""

WORDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}


def misshapen(obj: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Yield a problem for each field of an object whose type is wrong."""
    yield from _check(obj, EVERY, ())
    yield from _check(obj, SHAPES.get(str(obj.get("kind")), MAPPING), ())


def _check(value: Any, shape: Any, path: FieldPath) -> Iterator[FieldProblem]:
    if isinstance(shape, Needed):
        if value is None:
            yield FieldProblem(
                path, f"{dotted(path)} is missing", f"set it to {_type(shape.shape)}"
            )
            return
        shape = shape.shape
    if value is None or shape is ANYTHING:
        return
    if not _fits(value, shape):
        given = WORDS.get(type(value), "a mapping")
        message = f"{dotted(path)} must be {_type(shape)}, not {given}"
        yield FieldProblem(path, message, _hint(value, shape))
    elif isinstance(shape, list):
        for index, item in enumerate(value):
            yield from _check(item, Needed(shape[0]), (*path, index))
    elif isinstance(shape, Mapping):
        for key in value if "*" in shape else shape:
            yield from _check(value.get(key), shape.get(key, shape.get("*")), (*path, key))


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return isinstance(value, shape) and not isinstance(value, bool)
    return isinstance(value, list if isinstance(shape, list) else Mapping)


def _type(shape: Any) -> str:
    if isinstance(shape, tuple):
        return " or ".join(WORDS[kind] for kind in shape)
    return "a list" if isinstance(shape, list) else "a mapping"


def _hint(value: Any, shape: Any) -> str:
    if isinstance(value, bool | int | float) and shape == TEXT:
        return f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
    if isinstance(value, str) and shape == NUMBER and value.isdecimal():
        return f"write it without quotes: {value}"
    if isinstance(shape, list) and isinstance(value, Mapping):
        return "start each item of a list with `- `"
    return f"it is {value!r:.60}"
