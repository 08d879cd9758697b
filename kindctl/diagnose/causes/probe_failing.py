"""A container runs, but its readiness, liveness or startup probe fails."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause

LIVENESS = ("Liveness", "Startup")


def explain(evidence: Evidence) -> Cause | None:
    """Find a failing probe. The cause is never permanent: the program may be slow, or wait for another
    pod."""
    for container in evidence.unready_containers():
        events = container.events("Unhealthy")
        if not events:
            continue
        message = events.messages[0]
        probe = message.split(" ", 1)[0].lower()  # "Readiness probe failed: ..."
        killed = message.startswith(LIVENESS) and container.restarts > 0
        restarted = (
            f", so the kubelet restarts it (restarts: {container.restarts})" if killed else ""
        )
        more_time = (
            ", or add a startupProbe that gives the program more time to start" if killed else ""
        )
        return Cause(
            code="probe-failing",
            what=f"{container.title} runs, but its {probe} probe fails{restarted}",
            fix="check whether the container needs another pod that is not ready; otherwise correct the "
            f"probe's path and port{more_time}",
            cites=(*events.messages[:1], *container.log(3)),
            sure=0.65 if killed else 0.5,
            since=events.last_seen,
        )
    return None
