"""A node is short of disk space or memory and evicts pods (k3d FAQ, "DiskPressure")."""

from __future__ import annotations

from kindctl.diagnose.evidence import Events, Evidence, latest, parse_time
from kindctl.kube_objects import condition
from kindctl.models import Cause

PRESSURES = {  # condition -> what is short, what to do
    "DiskPressure": (
        "disk space",
        "free disk space where the engine keeps its data: `docker system df` shows what uses it",
    ),
    "MemoryPressure": ("memory", "stop other programs, or give the machine more memory"),
    "PIDPressure": ("process IDs", "find the program that keeps starting processes"),
}


def explain(evidence: Evidence) -> Cause | None:
    evictions = Events([e for e in evidence.recent_events() if e.get("reason") == "Evicted"])
    for node in evidence.nodes:
        for kind, (resource, fix) in PRESSURES.items():
            pressure = condition(node, kind)
            if pressure.get("status") == "True":
                began = parse_time(pressure.get("lastTransitionTime"))
                return Cause(
                    code="node-pressure",
                    what=f"node {node['metadata']['name']} is short of {resource} and evicts pods",
                    fix=fix,
                    cites=(pressure.get("message", kind), *evictions.messages[:1]),
                    permanent=True,
                    sure=0.9,
                    since=latest(began, evictions.last_seen),
                )
    return None
