"""Evidence: a snapshot of a part of the cluster, and what several causes read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kindctl.kube_objects import is_ready
from kindctl.models import Cause, Object
from kindctl.tools.engine_protocol import EngineInfo

STARTUP_GRACE = timedelta(seconds=8)
"""An object that is still missing this long after the pod's creation was not merely applied later than the
pod: the kubelet has retried by then."""

MANY_RESTARTS = 3
LOG_LINES = 5


@dataclass(frozen=True)
class Evidence:
    """One snapshot of a part of the cluster. Objects are the API's JSON."""

    pods: Sequence[Object] = ()
    events: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    workloads: Sequence[Object] = ()  # Deployments, StatefulSets, DaemonSets, Jobs
    claims: Sequence[Object] = ()  # PersistentVolumeClaims
    services: Sequence[Object] = ()  # only where an external address is waited for
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # "ns/pod/container" -> lines
    engine: EngineInfo | None = None

    def unready_pods(self) -> list[Object]:
        """The pods that should be ready and are not.

        Left out are pods that are being deleted, and pods of an earlier template of their Deployment: they
        may show what this `up` has just repaired.
        """
        newest = _newest_templates(self.pods)
        return [
            pod
            for pod in self.pods
            if not pod["metadata"].get("deletionTimestamp")
            and pod.get("status", {}).get("phase") != "Succeeded"
            and not is_ready(pod)
            and _template_hash(pod) in (None, newest.get(_deployment(pod)))
            and not self._awaits_rollout(pod)
        ]

    def unready_containers(self) -> Iterator[Container]:
        """The containers of unready pods that are not ready themselves, init containers first."""
        for pod in self.unready_pods():
            status = pod.get("status", {})
            for group in ("initContainerStatuses", "containerStatuses"):
                for entry in status.get(group, ()):
                    if not entry.get("ready"):
                        yield Container(self, pod, entry["name"], entry)

    def recent_events(self) -> Sequence[Object]:
        """All events, the newest first."""
        return _newest_first(self.events)

    def events_about(self, obj: Object, *reasons: str) -> Events:
        """The events about this object; with `reasons`, only those that have one of them."""
        found = [
            event
            for event in self.events
            if _is_about(event, obj) and (not reasons or event.get("reason") in reasons)
        ]
        return Events(_newest_first(found))

    def _awaits_rollout(self, pod: Object) -> bool:
        """Whether the pod's Deployment has a change that its controller has not acted on yet."""
        for workload in self.workloads:
            meta = workload["metadata"]
            if workload.get("kind") == "Deployment" and _template_hash(pod) is not None:
                seen = workload.get("status", {}).get("observedGeneration", 0)
                if (meta.get("namespace", ""), meta["name"]) == _deployment(pod):
                    return bool(meta.get("generation", 0) > seen)
        return False


Explain = Callable[[Evidence], Cause | None]
"""What a module of causes/ defines as `explain`: a pure function. None: the cause does not apply."""


@dataclass(frozen=True)
class Events:
    """Events about one object, the newest first."""

    events: Sequence[Object]

    def __bool__(self) -> bool:
        return bool(self.events)

    @property
    def messages(self) -> tuple[str, ...]:
        """Each message once."""
        return tuple(dict.fromkeys(str(e.get("message", "")).strip() for e in self.events))

    @property
    def last_seen(self) -> datetime | None:
        """When the newest event was last seen. None where there is no event."""
        return happened(self.events[0]) if self.events else None

    def containing(self, *phrases: str) -> Events:
        """The events with one of these phrases in their message."""
        found = [e for e in self.events if any(p in e.get("message", "") for p in phrases)]
        return Events(found)


@dataclass(frozen=True)
class Container:
    """A container of a pod, with its entry in the pod's status."""

    evidence: Evidence
    pod: Object
    name: str
    status: Object

    @property
    def title(self) -> str:
        """The pod, and the container where the pod has several: "pod example/web, container proxy"."""
        several = len(self.pod.get("spec", {}).get("containers", ())) > 1
        return title(self.pod) + (f", container {self.name}" if several else "")

    @property
    def waiting(self) -> tuple[str, str]:
        """The reason why it waits, and the message. Both are empty when it does not wait."""
        state = self.status.get("state", {}).get("waiting", {})
        return state.get("reason", ""), state.get("message", "")

    @property
    def termination(self) -> Object:
        """The last termination: exitCode, reason, message, startedAt, finishedAt. Empty: there is none."""
        for state in ("state", "lastState"):
            if terminated := self.status.get(state, {}).get("terminated"):
                return dict(terminated)
        return {}

    @property
    def terminated_at(self) -> datetime | None:
        return parse_time(self.termination.get("finishedAt"))

    @property
    def restarts(self) -> int:
        return int(self.status.get("restartCount", 0))

    @property
    def spec(self) -> Object:
        spec = self.pod.get("spec", {})
        every = [*spec.get("containers", ()), *spec.get("initContainers", ())]
        return next((dict(entry) for entry in every if entry.get("name") == self.name), {})

    @property
    def image(self) -> str:
        return str(self.spec.get("image", self.status.get("image", "")))

    def log(self, lines: int = LOG_LINES) -> tuple[str, ...]:
        """The last lines of its log."""
        meta = self.pod["metadata"]
        key = f"{meta.get('namespace', '')}/{meta['name']}/{self.name}"
        return tuple(self.evidence.logs.get(key, ()))[-lines:]

    def events(self, *reasons: str) -> Events:
        return self.evidence.events_about(self.pod, *reasons)

    def messages(self) -> tuple[str, ...]:
        """All that is said about it: its log, its last termination, why it waits, the pod's events."""
        ended, waiting = self.termination.get("message", ""), self.waiting[1]
        return (*self.log(), ended, waiting, *self.events().messages)


def strongest(causes: Iterable[Cause | None]) -> Cause | None:
    """The most certain of the permanent causes, or of all of them where none is permanent. The first wins
    a tie."""
    found = [cause for cause in causes if cause is not None]
    return max(found, key=lambda cause: (cause.permanent, cause.sure), default=None)


def title(obj: Object) -> str:
    """ "pod example/backend-5d8f" """
    meta = obj["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{obj.get('kind', 'pod').lower()} {space}{meta['name']}"


def persists(pod: Object, events: Events) -> bool:
    """Whether the newest event came so long after the pod's creation that the fault will not go away by
    itself. True where the events have expired."""
    created = parse_time(pod["metadata"].get("creationTimestamp"))
    last = events.last_seen
    return created is None or last is None or last - created >= STARTUP_GRACE


# --- times -----------------------------------------------------------------------------------------


def happened(event: Object) -> datetime | None:
    """When the event was last seen: components write one or another of these fields."""
    series = event.get("series") or {}
    for value in (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
        event.get("metadata", {}).get("creationTimestamp"),
    ):
        if value:
            return parse_time(value)
    return None


def parse_time(value: Any) -> datetime | None:
    """RFC 3339 text as a time with its zone; None for anything else."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def latest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def _newest_first(events: Iterable[Object]) -> list[Object]:
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(events, key=lambda event: happened(event) or never, reverse=True)


def _is_about(event: Object, obj: Object) -> bool:
    target, meta = event.get("involvedObject", {}), obj["metadata"]
    place = (meta.get("namespace", ""), meta["name"])
    if (target.get("namespace", ""), target.get("name")) != place:
        return False
    return bool(target.get("uid", meta.get("uid")) == meta.get("uid", target.get("uid")))


# --- Deployments of pods ---------------------------------------------------------------------------


def _template_hash(pod: Object) -> str | None:
    """What tells the pods of a Deployment's revisions apart. None: the pod is not of a Deployment."""
    label = pod["metadata"].get("labels", {}).get("pod-template-hash")
    return None if label is None else str(label)


def _deployment(pod: Object) -> tuple[str, str]:
    """(namespace, name) of its Deployment: the ReplicaSet is called NAME-HASH, the pod NAME-HASH-XXXXX."""
    meta = pod["metadata"]
    name = meta["name"].rsplit(f"-{_template_hash(pod)}", 1)[0]
    return meta.get("namespace", ""), name


def _newest_templates(pods: Sequence[Object]) -> dict[tuple[str, str], str | None]:
    """Deployment -> template hash of its pod that was created last."""
    by_age = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    return {_deployment(pod): _template_hash(pod) for pod in by_age}
