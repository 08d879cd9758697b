"""Writes into the cluster what `up` applied there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from kindctl.components.base import Component
from kindctl.kube_objects import is_going, own_labels
from kindctl.live.desired import inventory
from kindctl.live.differences import differences
from kindctl.live.record import RECORD, routes_as_json
from kindctl.models import (
    SYSTEM_NAMESPACE,
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
)
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster


@dataclass(kw_only=True)
class Recorded(StepInCluster):
    """A step that is ready when the record in the cluster (see live.record) lists what this run applies."""

    name: str
    title: str
    components: Sequence[Component]
    environment: str
    config: str
    file: str
    version: str
    controller: str
    routes: Sequence[Route]

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        for obj in self._objects(cluster):
            cluster.apply(obj)
        return Change(("wrote the record of this environment",))

    def observe_in(self, cluster: Cluster) -> State:
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
        labels = own_labels(self.environment)
        applied = inventory(self.components, cluster, self.environment)
        data = {
            "config": self.config,
            "file": self.file,
            "version": self.version,
            "controller": self.controller,
            "routes": routes_as_json(self.routes),
            "inventory": json.dumps([asdict(ref) for ref in sorted(applied, key=str)]),
        }
        meta = {"name": RECORD.name, "namespace": RECORD.namespace, "labels": labels}
        space = {"name": SYSTEM_NAMESPACE, "labels": labels}
        return (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": space},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data},
        )
