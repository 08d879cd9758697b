"""Whether the nodes of a cluster that runs in containers are Ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kindctl.models import NotReady, Ready, State
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import Cluster


def nodes_ready(cluster: Cluster, containers: Sequence[ContainerInfo]) -> State:
    """Ready, by evidence newer than the containers: after a restart the API still has the old word."""
    started = {node.name: node.started_at for node in containers}
    leases = {
        lease["metadata"]["name"]: lease["spec"].get("renewTime", "")
        for lease in cluster.list("coordination.k8s.io/v1", "Lease", namespace="kube-node-lease")
    }
    waiting = dict.fromkeys(started, "has not registered")
    for node in cluster.list("v1", "Node"):
        name = node["metadata"]["name"]
        conditions = {c["type"]: c for c in node["status"].get("conditions", [])}
        condition: Mapping[str, Any] = conditions.get("Ready", {})
        renewed, since = leases.get(name), started.get(name)
        if condition.get("status") != "True":
            waiting[name] = condition.get("message", "not Ready").splitlines()[0]
        elif since and (not renewed or datetime.fromisoformat(renewed) < since):
            waiting[name] = "kubelet has not reported since the start"
        else:
            waiting.pop(name, None)
    if waiting:
        return NotReady("; ".join(f"{name}: {why}" for name, why in waiting.items()))
    return Ready(f"{len(started)} node{'s' if len(started) != 1 else ''}")
