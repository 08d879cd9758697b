"""What the causes read out of the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kindctl.diagnose.base import Evidence
from kindctl.kube_objects import is_ready
from kindctl.models import Cause, Object

LASTING = timedelta(seconds=8)
"""What fails longer than this after a pod's creation was not a matter of the order in which objects
were applied: the kubelet has looked again by then."""

MANY_RESTARTS = 3
LOG_LINES = 5


@dataclass(frozen=True)
class Container:
    """A container of a pod, with its status."""

    pod: Object
    name: str
    status: Object

    @property
    def where(self) -> str:
        several = len(self.pod.get("spec", {}).get("containers", ())) > 1
        return of(self.pod) + (f", container {self.name}" if several else "")

    @property
    def waiting(self) -> tuple[str, str]:
        """(reason, message) of what it waits for; empty when it does not."""
        state = self.status.get("state", {}).get("waiting", {})
        return state.get("reason", ""), state.get("message", "")

    @property
    def ended(self) -> Object:
        """Its last end: exitCode, reason, message, startedAt, finishedAt. Empty: never ended."""
        for state in ("state", "lastState"):
            if terminated := self.status.get(state, {}).get("terminated"):
                return dict(terminated)
        return {}

    @property
    def restarts(self) -> int:
        return int(self.status.get("restartCount", 0))

    @property
    def spec(self) -> Object:
        spec = self.pod.get("spec", {})
        every = [*spec.get("containers", ()), *spec.get("initContainers", ())]
        return next((dict(entry) for entry in every if entry.get("name") == self.name), {})

    def last_lines(self, evidence: Evidence, count: int = LOG_LINES) -> tuple[str, ...]:
        meta = self.pod["metadata"]
        key = f"{meta.get('namespace', '')}/{meta['name']}/{self.name}"
        return tuple(evidence.logs.get(key, ()))[-count:]


def strongest(causes: Iterable[Cause | None]) -> Cause | None:
    """The first of those that are permanent, if any is, and most sure."""
    found = [cause for cause in causes if cause is not None]
    return max(found, key=lambda cause: (cause.permanent, cause.sure), default=None)


# --- pods ------------------------------------------------------------------------------------------


def struggling(evidence: Evidence) -> list[Object]:
    """Pods that are not ready and are meant to be: not those that a rollout or a deletion ends, nor
    those of an earlier template, which may show what this `up` has just mended."""
    newest = _newest_templates(evidence.pods)
    return [
        pod
        for pod in evidence.pods
        if not pod["metadata"].get("deletionTimestamp")
        and pod.get("status", {}).get("phase") != "Succeeded"
        and not is_ready(pod)
        and _template(pod) in (None, newest.get(_deployment(pod)))
        and not _rollout_unseen(evidence, pod)
    ]


def containers(evidence: Evidence) -> Iterator[Container]:
    """Of the pods that struggle: those that are not ready, init containers first."""
    for pod in struggling(evidence):
        status = pod.get("status", {})
        for kind in ("initContainerStatuses", "containerStatuses"):
            for entry in status.get(kind, ()):
                if not entry.get("ready"):
                    yield Container(pod, entry["name"], entry)


def of(obj: Object) -> str:
    """ "pod example/backend-5d8f" """
    meta = obj["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{obj.get('kind', 'pod').lower()} {space}{meta['name']}"


def _template(pod: Object) -> str | None:
    """What tells apart the pods of a Deployment's revisions. None: not a Deployment's pod."""
    label = pod["metadata"].get("labels", {}).get("pod-template-hash")
    return None if label is None else str(label)


def _deployment(pod: Object) -> tuple[str, str]:
    """(namespace, name): its ReplicaSet is called NAME-HASH, its pods NAME-HASH-XXXXX."""
    meta = pod["metadata"]
    name = meta["name"].rsplit(f"-{_template(pod)}", 1)[0]
    return meta.get("namespace", ""), name


def _newest_templates(pods: Sequence[Object]) -> dict[tuple[str, str], str | None]:
    """Deployment -> template of its pod that was created last."""
    by_age = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    return {_deployment(pod): _template(pod) for pod in by_age}


def _rollout_unseen(evidence: Evidence, pod: Object) -> bool:
    """Whether its Deployment has a change that the controller has not acted on yet."""
    for workload in evidence.workloads:
        meta = workload["metadata"]
        if workload.get("kind") == "Deployment" and _template(pod) is not None:
            seen = workload.get("status", {}).get("observedGeneration", 0)
            if (meta.get("namespace", ""), meta["name"]) == _deployment(pod):
                return bool(meta.get("generation", 0) > seen)
    return False


# --- events and times ------------------------------------------------------------------------------


def events_of(evidence: Evidence, obj: Object, *reasons: str) -> list[Object]:
    """Events about this object, the newest first; of these reasons only, if any are given."""
    meta = obj["metadata"]

    def about(event: Object) -> bool:
        target = event.get("involvedObject", {})
        same = (target.get("namespace", ""), target.get("name")) == (
            meta.get("namespace", ""),
            meta["name"],
        )
        return same and target.get("uid", meta.get("uid")) == meta.get("uid", target.get("uid"))

    found = [
        event
        for event in evidence.events
        if about(event) and (not reasons or event.get("reason") in reasons)
    ]
    return newest_first(found)


def newest_first(events: Iterable[Object]) -> list[Object]:
    return sorted(
        events, key=lambda event: happened(event) or datetime.min.replace(tzinfo=UTC), reverse=True
    )


def happened(event: Object) -> datetime | None:
    """When it was last seen: components write one or another of these fields."""
    series = event.get("series") or {}
    for value in (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
        event.get("metadata", {}).get("creationTimestamp"),
    ):
        if value:
            return moment(value)
    return None


def moment(value: Any) -> datetime | None:
    """RFC 3339 text -> a time with its zone."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def latest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def words(events: Iterable[Object]) -> tuple[str, ...]:
    """Their messages, none twice."""
    return tuple(dict.fromkeys(str(event.get("message", "")).strip() for event in events))


def lasting(pod: Object, events: Sequence[Object]) -> bool:
    """Whether the newest of the events came late enough after the pod's creation to be believed."""
    if not events:
        return True  # they have expired: it is an old affair
    since = moment(pod["metadata"].get("creationTimestamp"))
    last = happened(events[0])
    return since is None or last is None or last - since >= LASTING
