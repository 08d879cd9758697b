"""runc on control groups v1 sometimes cannot freeze a container while many start together. The kubelet
tries again after its pause."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import containers, events_of, happened
from kindctl.models import Cause

WORDS = "unable to freeze"


def explain(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        for event in events_of(evidence, container.pod):
            if WORDS in event.get("message", ""):
                return Cause(
                    code="runc-freeze",
                    what=f"{container.where}: the container runtime could not start it this time",
                    fix="none is needed: it is tried again",
                    cites=(event["message"],),
                    sure=0.7,
                    since=happened(event),
                )
    return None
