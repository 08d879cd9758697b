"""The kernel killed a container that used more memory than its limit allows or the node has."""

from __future__ import annotations

from kindctl.diagnose.evidence import MANY_RESTARTS, Evidence
from kindctl.models import Cause

NODE_IS_FULL = "was killed because the node ran out of memory"


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        if container.termination.get("reason") != "OOMKilled":
            continue
        limit = container.spec.get("resources", {}).get("limits", {}).get("memory")
        why = f"used more memory than its limit of {limit}" if limit else NODE_IS_FULL
        return Cause(
            code="oom-killed",
            what=f"{container.title} {why} (restarts: {container.restarts})",
            fix="raise resources.limits.memory, or make the program use less memory"
            if limit
            else "give the machine more memory, or set resources.limits.memory",
            cites=container.log(),
            permanent=container.restarts >= MANY_RESTARTS,
            sure=0.95,
            since=container.terminated_at,
        )
    return None
