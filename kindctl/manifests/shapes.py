"""What the parts of an object have to be, as far as kindctl reads them.

Everything behind read_manifests goes by it, without looking again: a `spec` that is there is a mapping, a
port of a Service has a number. The API server would refuse the same, later and without a place. What is
not named here may be anything, and null is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

At = tuple[str | int, ...]


@dataclass(frozen=True)
class Needed:
    """It has to be there."""

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
"""Kind -> what it has beside that which every object has."""

WORDS = {str: "text", bool: "yes or no", int: "a number", float: "a number", list: "a list"}


def misshapen(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, At]]:
    """(message, hint, where) for each part of an object that is not what it has to be."""
    yield from _faults(obj, EVERY, ())
    yield from _faults(obj, SHAPES.get(str(obj.get("kind")), MAPPING), ())


def _faults(given: Any, shape: Any, at: At) -> Iterator[tuple[str, str, At]]:
    if isinstance(shape, Needed):
        if given is None:
            yield f"{_dotted(at)} is missing", f"{_wanted(shape.shape)} is wanted there", at
            return
        shape = shape.shape
    if given is None or shape is ANYTHING:
        return
    if not _fits(given, shape):
        got = WORDS.get(type(given), "a mapping")
        message = f"{_dotted(at)} is {got}, and {_wanted(shape)} is wanted there"
        yield message, _hint(given, shape), at
    elif isinstance(shape, list):
        for index, item in enumerate(given):
            yield from _faults(item, Needed(shape[0]), (*at, index))
    elif isinstance(shape, Mapping):
        for key in given if "*" in shape else shape:
            yield from _faults(given.get(key), shape.get(key, shape.get("*")), (*at, key))


def _fits(given: Any, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return isinstance(given, shape) and not isinstance(given, bool)
    return isinstance(given, list if isinstance(shape, list) else Mapping)


def _wanted(shape: Any) -> str:
    if isinstance(shape, tuple):
        return " or ".join(WORDS[kind] for kind in shape)
    return "a list" if isinstance(shape, list) else "a mapping"


def _hint(given: Any, shape: Any) -> str:
    if isinstance(given, bool | int | float) and shape == TEXT:
        return f'quote it: "{str(given).lower() if isinstance(given, bool) else given}"'
    if isinstance(given, str) and shape == NUMBER and given.isdecimal():
        return f"without quotes: {given}"
    if isinstance(shape, list) and isinstance(given, Mapping):
        return "each item of a list starts with `- `"
    return f"there is {given!r:.60}"


def _dotted(at: At) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
    return text.lstrip(".")
