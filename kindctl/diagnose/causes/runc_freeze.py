"""runc could not freeze a container. On cgroup v1 that happens if many containers start at the same time.

The kubelet tries again after a pause.
"""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        if events := container.events().containing("unable to freeze"):
            return Cause(
                code="runc-freeze",
                what=f"{container.title}: the container runtime failed to start the container",
                fix="no action is necessary: the kubelet will try again",
                cites=events.messages[:1],
                sure=0.7,
                since=events.last_seen,
            )
    return None
