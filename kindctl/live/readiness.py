"""Finds why a workload or a claim is not ready, from its JSON in the API.

A Deployment's Available condition is not used: with maxUnavailable 1 and one replica, it is True even if
that replica is not ready. Ready replicas are also counted from the pods, since the status may be out of
date when the workload's controller is behind (after a restart of the node).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kindctl.diagnose.snapshot import WORKLOADS, snapshot
from kindctl.kube_objects import (
    condition,
    entries,
    is_going,
    is_ready,
    is_true,
    labels_of,
    namespace_of,
    section,
)
from kindctl.live import gateway_readiness
from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster

MESSAGE_LENGTH = 160
REPLACED = "old pods are being replaced"


def unready_reason(obj: Object, pods: Sequence[Object]) -> str:
    """Return why an object is not ready ("0/1: ContainerCreating"), or an empty string if it is ready or
    `up` does not wait for its kind. `pods` are the pods in the object's namespace."""
    return UNREADY_REASONS[obj["kind"]](obj, pods) if obj["kind"] in UNREADY_REASONS else ""


def find_live(
    cluster: Cluster, refs: Sequence[ObjectRef]
) -> tuple[dict[ObjectRef, Object], Sequence[Object]]:
    """Return the objects of `refs` that exist in the cluster, by reference, and all pods in their
    namespaces. Every ref must satisfy `is_waited_for`. Raises ApiError."""
    kinds = {ref.kind for ref in refs}
    evidence = snapshot(
        cluster,
        namespaces_of(refs),
        workloads=[
            kind
            for kind in (*WORKLOADS, *gateway_readiness.gateway_kinds(refs))
            if kind[1] in kinds
        ],
    )
    objects = [*evidence.workloads, *evidence.pods, *evidence.claims]
    return {ObjectRef.of(obj): obj for obj in objects}, evidence.pods


def namespaces_of(refs: Iterable[ObjectRef]) -> list[str]:
    return list(dict.fromkeys(ref.namespace or "default" for ref in refs))


def pods_of(workload: Object, pods: Iterable[Object]) -> list[Object]:
    """Return the pods that a workload selects and that are not being deleted, newest first."""
    selected = [pod for pod in pods if selects(workload, pod) and not is_going(pod)]
    return sorted(selected, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def selects(workload: Object, pod: Object) -> bool:
    """Whether the pod is in the workload's namespace and matches its label selector."""
    same_namespace = namespace_of(workload) == namespace_of(pod)
    return same_namespace and _matches(section(workload, "spec", "selector"), labels_of(pod))


def users_of(claim: Object, pods: Sequence[Object]) -> list[Object]:
    """Return the pods that mount this PersistentVolumeClaim."""
    name = claim["metadata"]["name"]
    return [
        pod
        for pod in pods
        if namespace_of(pod) == namespace_of(claim)
        and any(
            section(volume, "persistentVolumeClaim").get("claimName") == name
            for volume in entries(pod, "spec", "volumes")
        )
    ]


# --- workloads -----------------------------------------------------------------------------------


def _replicated(obj: Object, pods: Sequence[Object]) -> str:
    """Return why a Deployment, StatefulSet or ReplicaSet is not ready."""
    wanted = obj["spec"].get("replicas", 1)
    status = section(obj, "status")
    own = pods_of(obj, pods)
    counted = ["readyReplicas"]
    if obj["kind"] != "ReplicaSet" and not _is_updated_by_hand(obj):
        counted.append("updatedReplicas")  # pods made from the current template
    ready = min(sum(map(is_ready, own)), *(status.get(field, 0) for field in counted))
    if _is_behind(obj) or status.get("replicas", 0) != wanted:
        return f"{ready}/{wanted}: {_missing_pods(obj, own)}"
    return f"{ready}/{wanted}: {_newest_state(own) or REPLACED}" if ready < wanted else ""


def _daemon_set(obj: Object, pods: Sequence[Object]) -> str:
    status = section(obj, "status")
    wanted = status.get("desiredNumberScheduled", 0)
    own = pods_of(obj, pods)
    if _is_behind(obj):
        return "its controller has not acted on the latest change yet"
    updated = wanted if _is_updated_by_hand(obj) else status.get("updatedNumberScheduled", 0)
    ready = min(sum(map(is_ready, own)), status.get("numberReady", 0))
    if ready < wanted or updated < wanted:
        return f"{ready}/{wanted}: {_newest_state(own) or REPLACED}"
    return ""


def _job(obj: Object, pods: Sequence[Object]) -> str:
    if is_true(obj, "Complete") or obj["spec"].get("suspend"):
        return ""
    if is_true(obj, "Failed"):
        return f"failed: {_reason(condition(obj, 'Failed'))}"
    return _newest_state(pods_of(obj, pods), if_ready="is running") or "not started"


def _pod(obj: Object, pods: Sequence[Object]) -> str:
    if is_ready(obj) or section(obj, "status").get("phase") == "Succeeded":
        return ""
    return pod_state(obj)


def _claim(obj: Object, pods: Sequence[Object]) -> str:
    phase = section(obj, "status").get("phase", "Pending")
    return "" if phase == "Bound" else phase


UNREADY_REASONS: Mapping[str, Callable[[Object, Sequence[Object]], str]] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "ReplicaSet"), _replicated),
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    **dict.fromkeys(gateway_readiness.KINDS, gateway_readiness.unready_reason),
}


def is_waited_for(ref: ObjectRef) -> bool:
    """Whether `up` waits for objects of this kind to become ready."""
    return ref.kind in UNREADY_REASONS and (
        ref.kind not in gateway_readiness.KINDS or gateway_readiness.is_gateway_kind(ref)
    )


def _is_behind(obj: Object) -> bool:
    """Whether the workload's controller has not yet acted on the workload's latest change."""
    seen = section(obj, "status").get("observedGeneration", 0)
    return bool(seen < obj["metadata"].get("generation", 0))


def _is_updated_by_hand(obj: Object) -> bool:
    """Whether the workload replaces pods after a change of its pod template only when somebody deletes them
    (update strategy OnDelete)."""
    return section(obj, "spec", "updateStrategy").get("type") == "OnDelete"


def _missing_pods(obj: Object, own: Sequence[Object]) -> str:
    """Return why there are fewer or more pods than wanted."""
    if obj["spec"].get("paused"):
        return "the rollout is paused"
    if is_true(obj, "ReplicaFailure"):  # quota, admission, a service account that is missing
        return _reason(condition(obj, "ReplicaFailure"))
    return _newest_state(own) or (
        "pods are being created" if len(own) < obj["spec"].get("replicas", 1) else REPLACED
    )


def _newest_state(pods: Sequence[Object], if_ready: str = "") -> str:
    """Return the state of the newest pod that is not ready, `if_ready` if all pods are ready, or an empty
    string if there are no pods."""
    states = [pod_state(pod) for pod in pods if not is_ready(pod)]
    return states[0] if states else (if_ready if pods else "")


# --- pods ----------------------------------------------------------------------------------------


def pod_state(pod: Object) -> str:
    """Return why a pod is not ready, according to its status. For example: "ImagePullBackOff (...)"."""
    status = section(pod, "status")
    if status.get("phase") == "Failed":
        return _words(status.get("reason") or "failed", status.get("message")) + _exit(status)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return _words(scheduled.get("reason", "Pending"), scheduled.get("message"))
    for field, prefix in (("initContainerStatuses", "init "), ("containerStatuses", "")):
        for container in entries(status, field):
            if state := _container_state(container, init=bool(prefix)):
                return f"{prefix}{state}" if prefix else state
    if status.get("phase") == "Succeeded" or _has_ended(status):
        return "has completed"
    return "not Ready" if status.get("phase") == "Running" else status.get("phase", "Pending")


def _has_ended(status: Mapping[str, Any]) -> bool:
    """Whether a container has terminated. The pod's phase shows this only a moment later."""
    containers = entries(status, "containerStatuses")
    return any("terminated" in section(container, "state") for container in containers)


def _container_state(container: Mapping[str, Any], *, init: bool) -> str:
    state, name = section(container, "state"), container["name"]
    if waiting := state.get("waiting"):
        if init and waiting.get("reason") == "PodInitializing":
            return ""  # another init container runs first
        return _words(waiting.get("reason", "waiting"), waiting.get("message"))
    if ended := state.get("terminated"):
        return f"{name} exited with code {ended['exitCode']}" if ended.get("exitCode") else ""
    if container.get("ready") or (init and container.get("started")):
        return ""
    restarts = container.get("restartCount", 0)
    again = f", restarted {restarts} times" if restarts else ""
    return f"{name} is running{'' if init else ', not Ready'}{again}"


def _exit(status: Mapping[str, Any]) -> str:
    codes = [
        section(container, "state", "terminated").get("exitCode")
        for container in entries(status, "containerStatuses")
    ]
    return "".join(f", exit code {code}" for code in codes if code)[:40]


def _reason(condition: Mapping[str, Any]) -> str:
    return _words(condition.get("reason", ""), condition.get("message"))


def _words(reason: str, message: str | None) -> str:
    text = " ".join((message or "").split())
    if len(text) > MESSAGE_LENGTH:
        text = text[:MESSAGE_LENGTH] + "…"
    return f"{reason} ({text})" if text else reason


# --- selectors -----------------------------------------------------------------------------------


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted, expressions = section(selector, "matchLabels"), entries(selector, "matchExpressions")
    if not wanted and not expressions:
        return False
    return all(labels.get(name) == value for name, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    name, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(name) in values
        case "NotIn":
            return labels.get(name) not in values
        case "Exists":
            return name in labels
        case _:
            return name not in labels
