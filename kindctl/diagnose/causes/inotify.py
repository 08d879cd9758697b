"""The host has no inotify instance or watch left for another program (kubernetes#104303)."""

from __future__ import annotations

import re

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import (
    MANY_RESTARTS,
    containers,
    events_of,
    happened,
    latest,
    moment,
    words,
)
from kindctl.models import Cause

EXHAUSTED = re.compile(
    r"(inotify|fsnotify|watcher).*(too many open files|no space left on device)|too many open files",
    re.I,
)


def explain(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        events = events_of(evidence, container.pod)
        lines = (
            *container.last_lines(evidence),
            container.ended.get("message", ""),
            *words(events),
        )
        said = tuple(line for line in lines if EXHAUSTED.search(line))
        if said:
            return Cause(
                code="inotify",
                what=f"{container.where}: the host's inotify limits are used up",
                fix="kindctl doctor --fix raises them",
                cites=said[:2],
                permanent=container.restarts >= MANY_RESTARTS,
                sure=0.9,
                since=latest(
                    moment(container.ended.get("finishedAt")), *(happened(e) for e in events[:1])
                ),
            )
    return None
