"""A container keeps exiting.

Many programs exit if something that they need is not running yet, and expect to be restarted. So a loop is
only permanent if the program cannot run at all, or if it failed in a run that began after all other pods of
its namespace were ready.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from kindctl.diagnose.evidence import (
    MANY_RESTARTS,
    Container,
    Evidence,
    latest,
    parse_time,
    strongest,
)
from kindctl.kube_objects import condition, is_ready
from kindctl.models import Cause, Object

CANNOT_RUN = (126, 127)  # not executable, not found: sh(1)
NOT_STARTED = 128  # containerd's, with reason StartError
NO_SUCH_PROGRAM = re.compile(
    "executable file not found|permission denied|no such file or directory|is a directory"
)
"""Messages of the runtime if a container cannot start. These failures do not disappear by themselves."""

SERVICE_LINK = re.compile(r"tcp://(?:\d{1,3}\.){3}\d{1,3}:\d+")
"""For a Service NAME, Kubernetes sets the variable NAME_PORT to such a value. Programs often expect a
number. https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""

STOPPED_BY_OTHERS = (137, 143)  # KILL, TERM: a probe, the kernel
LINES = 8
ENDPOINT_DELAY = timedelta(seconds=5)  # until every node knows the endpoints of a Service
LONG = timedelta(seconds=60)


def explain(evidence: Evidence) -> Cause | None:
    looping = [c for c in evidence.unready_containers() if _loops(c)]
    return strongest(_cause(evidence, container, looping) for container in looping)


def _loops(container: Container) -> bool:
    """Return whether the container was restarted after it had exited. Pods of Jobs are not restarted."""
    reason = container.termination.get("reason")
    return bool(container.termination) and container.restarts > 0 and reason != "OOMKilled"


def _cause(evidence: Evidence, container: Container, looping: Sequence[Container]) -> Cause:
    code = container.termination.get("exitCode")
    message = container.termination.get("message", "").strip()
    lines = container.log(LINES)
    cannot_run = code in CANNOT_RUN or bool(code == NOT_STARTED and NO_SUCH_PROGRAM.search(message))
    many = container.restarts >= MANY_RESTARTS
    return Cause(
        code="crash-loop",
        what=f"{container.title} keeps exiting (exit code {code}, restarts: {container.restarts})",
        fix=_fix(code, lines, cannot_run=cannot_run),
        cites=lines or ((message,) if message else ()),
        permanent=cannot_run or (many and _has_all_it_needs(evidence, container, looping)),
        sure=0.6 if code in STOPPED_BY_OTHERS else 0.85,
        since=container.terminated_at,
    )


def _fix(code: int | None, lines: Sequence[str], *, cannot_run: bool) -> str:
    if cannot_run:
        return (
            "correct the container's command: the image lacks the program, or it is not executable"
        )
    if code == 0:
        return "check the container's command: its main process must keep running"
    if any(SERVICE_LINK.search(line) for line in lines):
        return (
            "the program may misread a variable that Kubernetes sets for a Service (NAME_PORT=tcp://...): "
            "set enableServiceLinks: false in the pod's spec, or rename the Service"
        )
    return "read the container's last log lines; `kindctl logs` shows more of them"


def _has_all_it_needs(
    evidence: Evidence, container: Container, looping: Sequence[Container]
) -> bool:
    """Return whether the container's last run failed although everything else was ready."""
    if container.termination.get("exitCode") in STOPPED_BY_OTHERS:
        return False
    began, ended = parse_time(container.termination.get("startedAt")), container.terminated_at
    created = parse_time(container.pod["metadata"].get("creationTimestamp"))
    if created and ended and ended - created >= LONG:
        return True
    others = _neighbours(evidence, looping)
    if not all(map(is_ready, others)):
        return False
    times = (condition(pod, "Ready").get("lastTransitionTime") for pod in others)
    ready = latest(*map(parse_time, times))
    return began is not None and (ready is None or began >= ready + ENDPOINT_DELAY)


def _neighbours(evidence: Evidence, looping: Sequence[Container]) -> list[Object]:
    """Return the pods that should be ready and share a namespace with a looping container, but not its
    pod."""
    names = {container.pod["metadata"]["name"] for container in looping}
    spaces = {container.pod["metadata"].get("namespace") for container in looping}
    return [
        pod
        for pod in (*evidence.unready_pods(), *filter(is_ready, evidence.pods))
        if pod["metadata"].get("namespace") in spaces and pod["metadata"]["name"] not in names
    ]
