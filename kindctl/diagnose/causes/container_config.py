"""A container cannot be made of what its pod names: a ConfigMap, a Secret, a key, a user."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import (
    containers,
    events_of,
    happened,
    lasting,
    latest,
    of,
    strongest,
    struggling,
    words,
)
from kindctl.models import Cause

REASONS = ("CreateContainerConfigError", "CreateContainerError")
MISSING = ("not found", "couldn't find key", "references non-existent")


def explain(evidence: Evidence) -> Cause | None:
    return strongest([_container(evidence), _mount(evidence)])


def _container(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        reason, message = container.waiting
        if reason not in REASONS:
            continue
        events = events_of(evidence, container.pod, "Failed")
        return Cause(
            code="container-config",
            what=f"{container.where} cannot be created: {message or reason}",
            fix="add what is missing to the app's manifests, or correct the name"
            if any(word in message for word in MISSING)
            else "correct the container's settings",
            cites=words(events[:2]),
            permanent=reason == REASONS[0] and lasting(container.pod, events),
            sure=0.95,
            since=latest(*(happened(event) for event in events)),
        )
    return None


def _mount(evidence: Evidence) -> Cause | None:
    for pod in struggling(evidence):
        events = [
            event
            for event in events_of(evidence, pod, "FailedMount")
            if any(word in event.get("message", "") for word in MISSING)
        ]
        starting = any(
            c.waiting[0] in ("ContainerCreating", "PodInitializing")
            for c in containers(evidence)
            if c.pod is pod
        )
        if events and starting:
            return Cause(
                code="container-config",
                what=f"{of(pod)} cannot mount a volume: {_last_part(events[0]['message'])}",
                fix="add what is missing to the app's manifests, or correct the name",
                cites=words(events[:1]),
                permanent=lasting(pod, events),
                sure=0.9,
                since=happened(events[0]),
            )
    return None


def _last_part(message: str) -> str:
    """'MountVolume.SetUp failed for volume "x" : configmap "y" not found' -> 'configmap "y" not found'"""
    return message.rsplit(" : ", 1)[-1]
