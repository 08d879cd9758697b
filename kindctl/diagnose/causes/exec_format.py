"""The image was built for another architecture (microservices-demo#2688)."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        cites = tuple(text for text in container.messages() if "exec format error" in text)
        if cites:
            here = f" (this machine is {evidence.engine.architecture})" if evidence.engine else ""
            return Cause(
                code="exec-format",
                what=f"{container.title}: image {container.image} is for another architecture{here}",
                fix="build the image on this machine (`apps[].build`), or use one for this architecture",
                cites=cites[:1],
                permanent=True,
                since=container.terminated_at,
            )
    return None
