"""A container ends again and again.

Many programs simply end while what they need is not up yet, and mean to be started again. So a loop
counts as permanent only when the program cannot run at all, or when it has failed through a whole run
that began after every other pod of its namespace was ready.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import (
    MANY_RESTARTS,
    Container,
    containers,
    latest,
    moment,
    strongest,
    struggling,
)
from kindctl.kube_objects import condition, is_ready
from kindctl.models import Cause, Object

CANNOT_RUN = (126, 127)  # not executable, not found: sh(1)
NOT_STARTED = 128  # containerd's, with reason StartError
NO_SUCH_PROGRAM = re.compile(
    "executable file not found|permission denied|no such file or directory|is a directory"
)
"""What the runtime says when it cannot start a container, of what will not pass by itself."""

SERVICE_LINK = re.compile(r"tcp://(?:\d{1,3}\.){3}\d{1,3}:\d+")
"""What Kubernetes sets as NAME_PORT for a Service NAME: programs that read such a variable expect a number.
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""

STOPPED_BY_OTHERS = (137, 143)  # KILL, TERM: a probe, the kernel
LINES = 8
SETTLED = timedelta(seconds=5)  # until a Service's endpoints are known to every node
LONG = timedelta(seconds=60)


def explain(evidence: Evidence) -> Cause | None:
    looping = [container for container in containers(evidence) if _loops(container)]
    return strongest(_cause(evidence, container, looping) for container in looping)


def _loops(container: Container) -> bool:
    """A restart that came after an end; the pods of Jobs (no restart) are not meant here."""
    reason = container.ended.get("reason")
    return bool(container.ended) and container.restarts > 0 and reason != "OOMKilled"


def _cause(evidence: Evidence, container: Container, looping: list[Container]) -> Cause:
    code = container.ended.get("exitCode")
    message = container.ended.get("message", "").strip()
    lines = container.last_lines(evidence, LINES)
    never = code in CANNOT_RUN or (code == NOT_STARTED and bool(NO_SUCH_PROGRAM.search(message)))
    return Cause(
        code="crash-loop",
        what=f"{container.where} ends again and again (exit code {code}, {container.restarts} restarts)",
        fix="correct its command: there is no such program in the image, or it may not be run"
        if never
        else "a container must keep running: see its command"
        if code == 0
        else _fix(lines),
        cites=lines or ((message,) if message else ()),
        permanent=never
        or (container.restarts >= MANY_RESTARTS and _in_vain(evidence, container, looping)),
        sure=0.6 if code in STOPPED_BY_OTHERS else 0.85,
        since=moment(container.ended.get("finishedAt")),
    )


def _fix(lines: Sequence[str]) -> str:
    if any(SERVICE_LINK.search(line) for line in lines):
        return (
            "it may take a variable that Kubernetes sets for a Service (NAME_PORT=tcp://...) for its own: "
            "enableServiceLinks: false in its pod's spec, or another name for the Service"
        )
    return "its last lines say why; kindctl logs shows more"


def _in_vain(evidence: Evidence, container: Container, looping: list[Container]) -> bool:
    """Whether there is nothing left that it could have waited for."""
    if container.ended.get("exitCode") in STOPPED_BY_OTHERS:
        return False
    began = moment(container.ended.get("startedAt"))
    ended = moment(container.ended.get("finishedAt"))
    created = moment(container.pod["metadata"].get("creationTimestamp"))
    if created and ended and ended - created >= LONG:
        return True
    others = _neighbours(evidence, looping)
    if not all(map(is_ready, others)):
        return False
    ready = latest(*(moment(condition(pod, "Ready").get("lastTransitionTime")) for pod in others))
    return began is not None and (ready is None or began >= ready + SETTLED)


def _neighbours(evidence: Evidence, looping: list[Container]) -> list[Object]:
    """The other pods of the namespaces in question that are meant to be ready."""
    names = {container.pod["metadata"]["name"] for container in looping}
    spaces = {container.pod["metadata"].get("namespace") for container in looping}
    meant = [*struggling(evidence), *filter(is_ready, evidence.pods)]
    return [
        pod
        for pod in meant
        if pod["metadata"].get("namespace") in spaces and pod["metadata"]["name"] not in names
    ]
