"""A node is short of disk or memory and evicts pods (k3d FAQ, "DiskPressure")."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import happened, latest, moment, newest_first, words
from kindctl.kube_objects import condition
from kindctl.models import Cause

SHORT = {"DiskPressure": "disk space", "MemoryPressure": "memory", "PIDPressure": "process IDs"}
FIX = {
    "DiskPressure": "make room where the engine keeps its data: `docker system df` shows what takes it",
    "MemoryPressure": "stop what else runs, or give the machine more memory",
    "PIDPressure": "look for a program that starts processes without end",
}


def explain(evidence: Evidence) -> Cause | None:
    evictions = newest_first(e for e in evidence.events if e.get("reason") == "Evicted")
    for node in evidence.nodes:
        for kind, what in SHORT.items():
            pressure = condition(node, kind)
            if pressure.get("status") == "True":
                return Cause(
                    code="node-pressure",
                    what=f"node {node['metadata']['name']} is short of {what} and evicts pods",
                    fix=FIX[kind],
                    cites=(pressure.get("message", kind), *words(evictions[:1])),
                    permanent=True,
                    sure=0.9,
                    since=latest(
                        moment(pressure.get("lastTransitionTime")), *map(happened, evictions[:1])
                    ),
                )
    return None
