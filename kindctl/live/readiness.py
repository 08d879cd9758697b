"""What is missing until a workload does its work: pure functions over the API's JSON.

A Deployment's Available condition is not asked: with maxUnavailable 1 it is true at none of one ready.
Replicas are counted by their pods, so that a controller that is behind (after a restart of the node)
does not answer for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kindctl.kube_objects import condition, is_going, is_ready
from kindctl.live import gateway_readiness
from kindctl.models import Object, ObjectRef

MESSAGE_LENGTH = 160
REPLACED = "old pods are being replaced"


def fault(obj: Object, pods: Sequence[Object]) -> str:
    """Empty when it is ready, else what is seen of it: "0/1: ContainerCreating". `pods`: those of its
    namespace."""
    return FAULTS[obj["kind"]](obj, pods) if obj["kind"] in FAULTS else ""


def pods_of(workload: Object, pods: Iterable[Object]) -> list[Object]:
    """Those that its selector selects and that are not being deleted, the newest first."""
    namespace = workload["metadata"].get("namespace")
    selector = (workload.get("spec") or {}).get("selector") or {}
    selected = [
        pod
        for pod in pods
        if pod["metadata"].get("namespace") == namespace
        and not is_going(pod)
        and _matches(selector, pod["metadata"].get("labels") or {})
    ]
    return sorted(selected, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def users_of(claim: Object, pods: Sequence[Object]) -> list[Object]:
    """Pods that mount this PersistentVolumeClaim."""
    name, namespace = claim["metadata"]["name"], claim["metadata"]["namespace"]
    return [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == namespace
        and any(
            (volume.get("persistentVolumeClaim") or {}).get("claimName") == name
            for volume in pod["spec"].get("volumes") or ()
        )
    ]


# --- workloads -----------------------------------------------------------------------------------


def _deployment(obj: Object, pods: Sequence[Object]) -> str:
    return _replicated(obj, pods, updated=("updatedReplicas",))


def _stateful_set(obj: Object, pods: Sequence[Object]) -> str:
    by_hand = (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"
    return _replicated(obj, pods, updated=() if by_hand else ("updatedReplicas",))


def _replica_set(obj: Object, pods: Sequence[Object]) -> str:
    return _replicated(obj, pods, updated=())


def _replicated(obj: Object, pods: Sequence[Object], *, updated: Sequence[str]) -> str:
    wanted = obj["spec"].get("replicas", 1)
    status = obj.get("status") or {}
    own = pods_of(obj, pods)
    ready = min(  # of pods that are as the template is now
        sum(is_ready(pod) for pod in own),
        *(status.get(field, 0) for field in ("readyReplicas", *updated)),
    )
    if _is_behind(obj) or status.get("replicas", 0) != wanted:
        return f"{ready}/{wanted}: {_creation(obj, own)}"
    return f"{ready}/{wanted}: {_worst(own) or REPLACED}" if ready < wanted else ""


def _daemon_set(obj: Object, pods: Sequence[Object]) -> str:
    status = obj.get("status") or {}
    wanted = status.get("desiredNumberScheduled", 0)
    own = pods_of(obj, pods)
    if _is_behind(obj):
        return "waiting for its controller"
    by_hand = (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"
    updated = wanted if by_hand else status.get("updatedNumberScheduled", 0)
    ready = min(sum(is_ready(pod) for pod in own), status.get("numberReady", 0))
    if ready < wanted or updated < wanted:
        return f"{ready}/{wanted}: {_worst(own) or 'old pods are being replaced'}"
    return ""


def _job(obj: Object, pods: Sequence[Object]) -> str:
    if is_true(obj, "Complete") or obj["spec"].get("suspend"):
        return ""
    if is_true(obj, "Failed"):
        return f"failed: {_reason(condition(obj, 'Failed'))}"
    return _worst(pods_of(obj, pods), running="is running") or "not started"


def _pod(obj: Object, pods: Sequence[Object]) -> str:
    if is_ready(obj) or obj.get("status", {}).get("phase") == "Succeeded":
        return ""
    return pod_state(obj)


def _claim(obj: Object, pods: Sequence[Object]) -> str:
    phase = (obj.get("status") or {}).get("phase", "Pending")
    return "" if phase == "Bound" else phase


FAULTS: Mapping[str, Callable[[Object, Sequence[Object]], str]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replica_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    **dict.fromkeys(gateway_readiness.KINDS, gateway_readiness.fault),
}


def is_waited_for(ref: ObjectRef) -> bool:
    return ref.kind in FAULTS and (
        ref.kind not in gateway_readiness.KINDS or gateway_readiness.is_gateway_kind(ref)
    )


def is_true(obj: Object, kind: str) -> bool:
    return condition(obj, kind).get("status") == "True"


def _is_behind(obj: Object) -> bool:
    """Whether its controller has not seen it as it is now."""
    seen = (obj.get("status") or {}).get("observedGeneration", 0)
    return bool(seen < obj["metadata"].get("generation", 0))


def _creation(obj: Object, own: Sequence[Object]) -> str:
    """Why there are not as many pods as wanted."""
    if obj["spec"].get("paused"):
        return "its roll-out is paused"
    if is_true(obj, "ReplicaFailure"):  # quota, admission, a service account that is missing
        return _reason(condition(obj, "ReplicaFailure"))
    return _worst(own) or (
        "pods are being created" if len(own) < obj["spec"].get("replicas", 1) else REPLACED
    )


def _worst(pods: Sequence[Object], running: str = "") -> str:
    """The state of the newest pod that is not ready; `running`: what to say of one that runs."""
    states = [pod_state(pod) for pod in pods if not is_ready(pod)]
    return states[0] if states else (running if pods else "")


# --- pods ----------------------------------------------------------------------------------------


def pod_state(pod: Object) -> str:
    """Why a pod is not ready, in the words of its status: "ImagePullBackOff (...)"."""
    status = pod.get("status") or {}
    if status.get("phase") == "Failed":
        return _words(status.get("reason") or "failed", status.get("message")) + _exit(status)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return _words(scheduled.get("reason", "Pending"), scheduled.get("message"))
    for field, prefix in (("initContainerStatuses", "init "), ("containerStatuses", "")):
        for container in status.get(field) or ():
            if state := _container_state(container, init=bool(prefix)):
                return f"{prefix}{state}" if prefix else state
    if status.get("phase") == "Succeeded" or _has_ended(status):
        return "is ending"
    return "not Ready" if status.get("phase") == "Running" else status.get("phase", "Pending")


def _has_ended(status: Mapping[str, Any]) -> bool:
    """Whether a container has ended without an error, which others learn only a moment later."""
    states = (container.get("state") or {} for container in status.get("containerStatuses") or ())
    return any("terminated" in state for state in states)


def _container_state(container: Mapping[str, Any], *, init: bool) -> str:
    state, name = container.get("state") or {}, container["name"]
    if waiting := state.get("waiting"):
        if init and waiting.get("reason") == "PodInitializing":
            return ""  # another one is to run first
        return _words(waiting.get("reason", "waiting"), waiting.get("message"))
    if ended := state.get("terminated"):
        return f"{name} ended with {ended['exitCode']}" if ended.get("exitCode") else ""
    if container.get("ready") or (init and container.get("started")):
        return ""
    restarts = container.get("restartCount", 0)
    again = f", restarted {restarts} times" if restarts else ""
    return f"{name} runs{'' if init else ', not Ready'}{again}"


def _exit(status: Mapping[str, Any]) -> str:
    codes = [
        (container.get("state") or {}).get("terminated", {}).get("exitCode")
        for container in status.get("containerStatuses") or ()
    ]
    return "".join(f", exit code {code}" for code in codes if code)[:40]


def _reason(of: Mapping[str, Any]) -> str:
    return _words(of.get("reason", ""), of.get("message"))


def _words(reason: str, message: str | None) -> str:
    text = " ".join((message or "").split())
    if len(text) > MESSAGE_LENGTH:
        text = text[:MESSAGE_LENGTH] + "…"
    return f"{reason} ({text})" if text else reason


# --- selectors -----------------------------------------------------------------------------------


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
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
