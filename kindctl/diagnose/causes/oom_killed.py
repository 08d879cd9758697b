"""The kernel killed a container that used more memory than its limit."""

from __future__ import annotations

from kindctl.diagnose.evidence import MANY_RESTARTS, Evidence
from kindctl.models import Cause


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        if container.termination.get("reason") != "OOMKilled":
            continue
        limit = container.spec.get("resources", {}).get("limits", {}).get("memory")
        exceeded = f"its limit of {limit}" if limit else "the node has"
        return Cause(
            code="oom-killed",
            what=f"{container.title} used more memory than {exceeded} ({container.restarts} restarts)",
            fix="raise resources.limits.memory, or make the program use less memory"
            if limit
            else "give the machine more memory, or set resources.limits.memory",
            cites=container.log(),
            permanent=container.restarts >= MANY_RESTARTS,
            sure=0.95,
            since=container.terminated_at,
        )
    return None
