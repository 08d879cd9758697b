"""The host has no free inotify instances or watches left (kubernetes#104303)."""

from __future__ import annotations

import re

from kindctl.diagnose.evidence import MANY_RESTARTS, Evidence, latest
from kindctl.models import Cause

EXHAUSTED = re.compile(
    r"(inotify|fsnotify|watcher).*(too many open files|no space left on device)|too many open files",
    re.I,
)


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        texts = dict.fromkeys(container.messages())
        cites = tuple(text for text in texts if EXHAUSTED.search(text))
        if cites:
            return Cause(
                code="inotify",
                what=f"{container.title}: the host has run out of inotify watches or instances",
                fix="run `kindctl doctor --fix`, which raises the limits",
                cites=cites[:2],
                permanent=container.restarts >= MANY_RESTARTS,
                sure=0.9,
                since=latest(container.terminated_at, container.events().last_seen),
            )
    return None
