"""A container runs, and its readiness, liveness or startup probe fails."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import containers, events_of, happened, words
from kindctl.models import Cause

LIVENESS = ("Liveness", "Startup")


def explain(evidence: Evidence) -> Cause | None:
    """Never permanent: it may take longer than others to start, or wait for another pod."""
    for container in containers(evidence):
        events = events_of(evidence, container.pod, "Unhealthy")
        if not events:
            continue
        message = events[0].get("message", "")
        which = message.split(" ", 1)[0].lower()  # "Readiness probe failed: ..."
        killed = message.startswith(LIVENESS) and container.restarts > 0
        return Cause(
            code="probe-failing",
            what=f"{container.where} runs, but its {which} probe fails"
            + (f", for which it was started anew {container.restarts} times" if killed else ""),
            fix="see whether it needs another pod that is not ready; else correct the probe's path and port"
            + (", or give it more time (startupProbe)" if killed else ""),
            cites=(*words(events[:1]), *container.last_lines(evidence, 3)),
            sure=0.65 if killed else 0.5,
            since=happened(events[0]),
        )
    return None
