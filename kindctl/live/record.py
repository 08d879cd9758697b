"""What the last `up` applied, read from the cluster.

There is no state outside the cluster: `list`, `status` and `down` need neither the configuration file
nor anything else on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kindctl.kube_objects import labels_of
from kindctl.models import ENVIRONMENT_LABEL, SYSTEM_NAMESPACE, ObjectRef, Route
from kindctl.tools.protocols import Cluster

STORED = {"via_controller": "marked", "via_witness": "well_known"}
"""The fields of a Route that have another name in the record, because earlier versions wrote them under
that name."""

RECORD = ObjectRef("v1", "ConfigMap", "kindctl", SYSTEM_NAMESPACE)


@dataclass(frozen=True)
class Record:
    """What the last `up` applied. `config` is JSON, with all defaults filled in."""

    environment: str
    config: str
    file: str  # path of kindctl.yaml; empty for the environment that ships with kindctl
    version: str  # of kindctl
    controller: str  # "nginx", or empty
    routes: tuple[Route, ...]
    inventory: tuple[ObjectRef, ...]


def read_record(cluster: Cluster) -> Record | None:
    """Return the record in the cluster, or None if there is none or this version cannot read it. Raises
    ApiError."""
    found = cluster.get(RECORD)
    if found is None:
        return None
    data = found.get("data") or {}
    try:
        return Record(
            environment=labels_of(found).get(ENVIRONMENT_LABEL, ""),
            config=data["config"],
            file=data["file"],
            version=data["version"],
            controller=data["controller"],
            routes=tuple(_route(entry) for entry in json.loads(data["routes"])),
            inventory=tuple(ObjectRef(**entry) for entry in json.loads(data["inventory"])),
        )
    except (KeyError, TypeError, ValueError):  # somebody's edit, or another version's format
        return None


def routes_as_json(routes: Iterable[Route]) -> str:
    """Return the routes in the form that `read_record` reads."""
    return json.dumps([_renamed(asdict(route), STORED) for route in routes])


def _route(entry: dict[str, Any]) -> Route:
    named = _renamed(entry, {stored: name for name, stored in STORED.items()})
    host, port = named["connect"]  # a tuple before JSON made it a list
    return Route(**{**named, "connect": (host, port)})


def _renamed(entry: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in entry.items()}
