"""A snapshot of a part of the cluster, and queries that the modules of causes/ use to examine it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kindctl.kube_objects import is_ready, section
from kindctl.models import Cause, Object
from kindctl.tools.engine_protocol import EngineInfo

STARTUP_GRACE = timedelta(seconds=8)
"""If an object that a pod needs is still missing this long after the pod was created, nothing will create
the object. If the object had been applied just after the pod, the kubelet would have found it by now,
because the kubelet retries."""

MANY_RESTARTS = 3
LOG_LINES = 5


@dataclass(frozen=True)
class Evidence:
    """A snapshot of a part of the cluster. Objects are plain JSON of the API."""

    pods: Sequence[Object] = ()
    events: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    workloads: Sequence[Object] = ()  # Deployments, StatefulSets, DaemonSets, Jobs
    claims: Sequence[Object] = ()  # PersistentVolumeClaims
    services: Sequence[Object] = ()  # only those whose external address is waited for
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # "ns/pod/container" -> lines
    engine: EngineInfo | None = None

    def unready_pods(self) -> list[Object]:
        """Return the pods that should be ready but are not.

        Pods that are being deleted, and pods of an earlier template of their Deployment, are left out: they
        may show a problem that this `up` has just repaired.
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
        """Yield the unready containers of unready pods. In each pod, the init containers come first."""
        for pod in self.unready_pods():
            status = pod.get("status", {})
            for group in ("initContainerStatuses", "containerStatuses"):
                for entry in status.get(group, ()):
                    if not entry.get("ready"):
                        yield Container(self, pod, entry["name"], entry)

    def recent_events(self) -> Sequence[Object]:
        """Return all events, the newest first."""
        return _newest_first(self.events)

    def events_about(self, obj: Object, *reasons: str) -> Events:
        """Return the events about an object. If `reasons` are given, return only events with one of these
        reasons."""
        found = [
            event
            for event in self.events
            if _is_about(event, obj) and (not reasons or event.get("reason") in reasons)
        ]
        return Events(_newest_first(found))

    def _awaits_rollout(self, pod: Object) -> bool:
        """Return whether the Deployment controller has not yet seen the latest change of the pod's
        Deployment."""
        for workload in self.workloads:
            meta = workload["metadata"]
            if workload.get("kind") == "Deployment" and _template_hash(pod) is not None:
                seen = workload.get("status", {}).get("observedGeneration", 0)
                if (meta.get("namespace", ""), meta["name"]) == _deployment(pod):
                    return bool(meta.get("generation", 0) > seen)
        return False


Explain = Callable[[Evidence], Cause | None]
"""The type of `explain` in each module of causes/: a pure function that returns None if the cause does
not apply."""


@dataclass(frozen=True)
class Events:
    """The events about one object, the newest first."""

    events: Sequence[Object]

    def __bool__(self) -> bool:
        return bool(self.events)

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages, without duplicates."""
        return tuple(dict.fromkeys(str(e.get("message", "")).strip() for e in self.events))

    @property
    def last_seen(self) -> datetime | None:
        """The time at which the newest event was last seen, or None if there is no event."""
        return happened(self.events[0]) if self.events else None

    def containing(self, *phrases: str) -> Events:
        """Return the events whose message contains one of these phrases."""
        found = [e for e in self.events if any(p in e.get("message", "") for p in phrases)]
        return Events(found)


@dataclass(frozen=True)
class Container:
    """A container of a pod, and its entry in the pod's status."""

    evidence: Evidence
    pod: Object
    name: str
    status: Object

    @property
    def title(self) -> str:
        """The container's name for messages: "pod example/web". If the pod has several containers,
        ", container proxy" follows."""
        several = len(self.pod.get("spec", {}).get("containers", ())) > 1
        return title(self.pod) + (f", container {self.name}" if several else "")

    @property
    def waiting(self) -> tuple[str, str]:
        """The reason and the message of the waiting state; both are empty if the container is not
        waiting."""
        state = self.status.get("state", {}).get("waiting", {})
        return state.get("reason", ""), state.get("message", "")

    @property
    def termination(self) -> Object:
        """The last termination (exitCode, reason, message, startedAt, finishedAt), or empty if none
        happened."""
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
        """Return the last lines of the container's log."""
        meta = self.pod["metadata"]
        key = f"{meta.get('namespace', '')}/{meta['name']}/{self.name}"
        return tuple(self.evidence.logs.get(key, ()))[-lines:]

    def events(self, *reasons: str) -> Events:
        return self.evidence.events_about(self.pod, *reasons)

    def messages(self) -> tuple[str, ...]:
        """Return all texts about the container: log, last termination, waiting state, the pod's events."""
        ended, waiting = self.termination.get("message", ""), self.waiting[1]
        return (*self.log(), ended, waiting, *self.events().messages)


def strongest(causes: Iterable[Cause | None]) -> Cause | None:
    """Return the most certain of the permanent causes, or of all causes if none is permanent.

    Of equally certain causes, the first is returned.
    """
    found = [cause for cause in causes if cause is not None]
    return max(found, key=lambda cause: (cause.permanent, cause.sure), default=None)


def title(obj: Object) -> str:
    """Return the name of an object for messages: "pod example/backend-5d8f"."""
    meta = obj["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{obj.get('kind', 'pod').lower()} {space}{meta['name']}"


def persists(pod: Object, events: Events) -> bool:
    """Return whether a problem occurred later than STARTUP_GRACE after its pod was created.

    Such a problem does not disappear by itself. The time of the newest event is the time of the problem.
    If the events have expired, return True.
    """
    created = parse_time(pod["metadata"].get("creationTimestamp"))
    last = events.last_seen
    return created is None or last is None or last - created >= STARTUP_GRACE


# --- times -----------------------------------------------------------------------------------------


def happened(event: Object) -> datetime | None:
    """Return when an event was last seen. The result is the first time field that the reporter has set."""
    times = (
        section(event, "series").get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
        section(event, "metadata").get("creationTimestamp"),
    )
    return parse_time(next(filter(None, times), None))


def parse_time(value: Any) -> datetime | None:
    """Parse an RFC 3339 time. Returns None for an empty string and for any other type."""
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
    """Return the pod's pod-template-hash, or None if the pod was not created by a Deployment."""
    label = pod["metadata"].get("labels", {}).get("pod-template-hash")
    return None if label is None else str(label)


def _deployment(pod: Object) -> tuple[str, str]:
    """Return (namespace, name) of the pod's Deployment. The pods of Deployment NAME are called
    NAME-HASH-XXXXX."""
    meta = pod["metadata"]
    name = meta["name"].rsplit(f"-{_template_hash(pod)}", 1)[0]
    return meta.get("namespace", ""), name


def _newest_templates(pods: Sequence[Object]) -> dict[tuple[str, str], str | None]:
    """Return, for each Deployment, the pod-template-hash of its newest pod."""
    by_age = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    return {_deployment(pod): _template_hash(pod) for pod in by_age}
