"""A container cannot be created, because a ConfigMap, Secret, key or user that its pod names is missing."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence, persists, strongest, title
from kindctl.models import Cause

REASONS = ("CreateContainerConfigError", "CreateContainerError")
MISSING = ("not found", "couldn't find key", "references non-existent")
ADD_IT = "add what is missing to the app's manifests, or correct the name"


def explain(evidence: Evidence) -> Cause | None:
    return strongest([_container(evidence), _mount(evidence)])


def _container(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        reason, message = container.waiting
        if reason in REASONS:
            events = container.events("Failed")
            missing = any(phrase in message for phrase in MISSING)
            return Cause(
                code="container-config",
                what=f"{container.title} cannot be created: {message or reason}",
                fix=ADD_IT if missing else "correct the container's settings",
                cites=events.messages[:2],
                permanent=reason == REASONS[0] and persists(container.pod, events),
                sure=0.95,
                since=events.last_seen,
            )
    return None


def _mount(evidence: Evidence) -> Cause | None:
    """Find a volume whose ConfigMap or Secret is missing. Only an event reports that."""
    for container in evidence.unready_containers():
        events = container.events("FailedMount").containing(*MISSING)
        if events and container.waiting[0] in ("ContainerCreating", "PodInitializing"):
            # 'MountVolume.SetUp failed for volume "x" : configmap "y" not found'
            missing = events.messages[0].rsplit(" : ", 1)[-1]
            return Cause(
                code="container-config",
                what=f"{title(container.pod)} cannot mount a volume: {missing}",
                fix=ADD_IT,
                cites=events.messages[:1],
                permanent=persists(container.pod, events),
                sure=0.9,
                since=events.last_seen,
            )
    return None
