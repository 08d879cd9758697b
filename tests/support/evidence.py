"""A cluster that is not ready, as its objects, events and logs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause, Object

START = datetime(2026, 11, 24, 6, 46, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    """Seconds after START, as the API writes it."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def pod(
    name: str = "backend-5d8f7c-x2x4k",
    *,
    ready: bool = False,
    state: Object | None = None,
    ended: Object | None = None,
    restarts: int = 0,
    spec: Object | None = None,
    container: Object | None = None,
    created: float = 0,
    ready_since: float = 10,
    conditions: Sequence[Object] = (),
    labels: Mapping[str, str] | None = None,
) -> Object:
    """A pod with one container, which is called like the Deployment."""
    status = {
        "name": "c",
        "ready": ready,
        "restartCount": restarts,
        "state": state or {"running": {"startedAt": at(created)}},
        "lastState": {"terminated": ended} if ended else {},
    }
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": at(ready_since),
    }
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "example",
            "uid": f"uid-{name}",
            "creationTimestamp": at(created),
            "labels": dict(labels or {}),
        },
        "spec": {
            "nodeName": "shop-control-plane",
            "containers": [{"name": "c", "image": "shop-backend:1", **(container or {})}],
            **(spec or {}),
        },
        "status": {
            "phase": "Running",
            "startTime": at(created),
            "containerStatuses": [status],
            "conditions": [condition, *conditions],
        },
    }


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(
    code: int, *, reason: str = "Error", message: str = "", began: float = 20, ended: float = 22
) -> Object:
    return {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": at(began),
        "finishedAt": at(ended),
    }


def event(about: Object, reason: str, message: str, *, seen: float = 20, **fields: Any) -> Object:
    meta = about["metadata"]
    target = {"kind": about["kind"], "namespace": meta.get("namespace"), "name": meta["name"]}
    if "uid" in meta:
        target["uid"] = meta["uid"]
    return {
        "involvedObject": target,
        "reason": reason,
        "message": message,
        "lastTimestamp": at(seen),
        **fields,
    }


def node(*conditions: Object, **status: Any) -> Object:
    return {
        "kind": "Node",
        "metadata": {"name": "shop-control-plane"},
        "status": {
            "conditions": list(conditions) or [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "2", "memory": "16Gi"},
            **status,
        },
    }


def cause(evidence: Evidence) -> Cause:
    found = explain(evidence)
    assert found is not None
    assert found.what
    assert found.fix
    return found


def looping(**given: Any) -> Object:
    ended = given.pop("ended", None) or terminated(3)
    given.setdefault("restarts", 4)
    return pod(state=waiting("CrashLoopBackOff"), ended=ended, **given)


REPLICASET: Object = {
    "kind": "ReplicaSet",
    "metadata": {"name": "web-557f967b46", "namespace": "example"},
    "spec": {"replicas": 1},
    "status": {},
}


def unscheduled(message: str, **given: Any) -> Object:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": f"0/1 nodes are available: {message}",
        "lastTransitionTime": at(1),
    }
    return pod(conditions=[condition], **given)
