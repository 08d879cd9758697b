"""The step that writes into the cluster what was made there, and the reading of it.

No state lives beside the cluster: `list`, `status` and `down` need neither the configuration file nor
anything else on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kindctl.components.base import Component
from kindctl.kube_objects import is_going
from kindctl.models import (
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    MANAGER,
    SYSTEM_NAMESPACE,
    UNCHANGED,
    Absent,
    Change,
    Differs,
    NotReady,
    Object,
    ObjectRef,
    Progress,
    Ready,
    Route,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.steps.asking import ask
from kindctl.steps.compare import differences
from kindctl.steps.desired import inventory
from kindctl.tools.protocols import Cluster

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
    """None when there is none, or when it cannot be read as one. Raises ApiError."""
    found = cluster.get(RECORD)
    if found is None:
        return None
    data = found.get("data") or {}
    try:
        return Record(
            environment=(found["metadata"].get("labels") or {}).get(ENVIRONMENT_LABEL, ""),
            config=data["config"],
            file=data["file"],
            version=data["version"],
            controller=data["controller"],
            routes=tuple(_route(entry) for entry in json.loads(data["routes"])),
            inventory=tuple(ObjectRef(**entry) for entry in json.loads(data["inventory"])),
        )
    except (KeyError, TypeError, ValueError):  # somebody's edit, or another version's format
        return None


@dataclass
class Recorded:
    """Holds when the cluster's record says what this run makes. Equal contents change nothing."""

    name: str
    title: str
    needs: frozenset[str]
    components: Sequence[Component]
    provider: Provider
    environment: str
    config: str
    file: str
    version: str
    controller: str
    routes: Sequence[Route]
    timeout: float = 60.0
    wake: Wake | None = None

    def observe(self) -> State:
        return ask(self.provider, self._look)

    def apply(self, progress: Progress) -> Change:
        cluster = self.provider.cluster()
        if cluster is None:
            return UNCHANGED
        for obj in self._objects(cluster):
            cluster.apply(obj)
        return Change(("wrote the record of this environment",))

    def _look(self, cluster: Cluster) -> State:
        for obj in self._objects(cluster):
            ref = ObjectRef.of(obj)
            live = cluster.get(ref)
            if live is None:
                return Absent(str(ref))
            if is_going(live):
                return NotReady(f"{ref} is being deleted")
            if fields := differences(live, cluster.apply(obj, dry_run=True)):
                return Differs(f"{ref}: {', '.join(fields)}")
        return Ready()

    def _objects(self, cluster: Cluster) -> tuple[Object, Object]:
        labels = {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: self.environment}
        applied = inventory(self.components, cluster, self.environment)
        data = {
            "config": self.config,
            "file": self.file,
            "version": self.version,
            "controller": self.controller,
            "routes": _as_json(self.routes),
            "inventory": _as_json(sorted(applied, key=str)),
        }
        meta = {"name": RECORD.name, "namespace": RECORD.namespace, "labels": labels}
        space = {"name": SYSTEM_NAMESPACE, "labels": labels}
        return (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": space},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data},
        )


def _as_json(items: Iterable[Route | ObjectRef]) -> str:
    return json.dumps([asdict(item) for item in items])


def _route(entry: dict[str, Any]) -> Route:
    host, port = entry["connect"]  # a tuple before JSON made it a list
    return Route(**{**entry, "connect": (host, port)})
