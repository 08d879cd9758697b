"""The image was built for another processor (microservices-demo#2688)."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import Container, containers, events_of, moment, words
from kindctl.models import Cause

WORDS = "exec format error"


def explain(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        if said := _said(evidence, container):
            image = container.spec.get("image", container.status.get("image", ""))
            here = f" ({evidence.engine.architecture})" if evidence.engine else ""
            return Cause(
                code="exec-format",
                what=f"{container.where}: image {image} is for another processor than this one{here}",
                fix="build it on this machine (`apps[].build`), or use an image that has this platform",
                cites=said,
                permanent=True,
                since=moment(container.ended.get("finishedAt")),
            )
    return None


def _said(evidence: Evidence, container: Container) -> tuple[str, ...]:
    lines = (
        *container.last_lines(evidence),
        container.ended.get("message", ""),
        container.waiting[1],
        *words(events_of(evidence, container.pod)),
    )
    return tuple(line for line in lines if WORDS in line)[:1]
