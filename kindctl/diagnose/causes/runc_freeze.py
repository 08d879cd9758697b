"""runc on cgroup v1 sometimes cannot freeze a container while many start at once. The kubelet tries again
after a pause."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        if events := container.events().containing("unable to freeze"):
            return Cause(
                code="runc-freeze",
                what=f"{container.title}: the container runtime failed to start it this time",
                fix="nothing needs to be done: the kubelet tries again",
                cites=events.messages[:1],
                sure=0.7,
                since=events.last_seen,
            )
    return None
