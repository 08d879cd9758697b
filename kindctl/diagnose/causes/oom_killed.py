"""The kernel ended a container that took more memory than its limit."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import MANY_RESTARTS, containers, moment
from kindctl.models import Cause


def explain(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        if container.ended.get("reason") != "OOMKilled":
            continue
        limit = container.spec.get("resources", {}).get("limits", {}).get("memory")
        return Cause(
            code="oom-killed",
            what=f"{container.where} took more memory than "
            + (f"its limit of {limit}" if limit else "the node has")
            + f", {container.restarts} restarts",
            fix="raise resources.limits.memory, or let the program use less"
            if limit
            else "give the machine more memory, or set resources.limits.memory",
            cites=container.last_lines(evidence),
            permanent=container.restarts >= MANY_RESTARTS,
            sure=0.95,
            since=moment(container.ended.get("finishedAt")),
        )
    return None
