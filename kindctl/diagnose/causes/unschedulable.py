"""No node can run a pod. The scheduler's event says why (kind#1971, ingress-nginx#8874)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kindctl.diagnose.evidence import Evidence, latest, parse_time, strongest, title
from kindctl.kube_objects import condition, is_ready
from kindctl.models import Cause, Object

NOBODY = re.compile(r"0/(\d+) nodes are available")
CLAIM = "unbound immediate PersistentVolumeClaims"
SELECTOR = "didn't match Pod's node affinity/selector"
VOLUME = "volume node affinity conflict|didn't match PersistentVolume's node affinity"
REASONS = (  # pattern of the scheduler's message, why, what to do, whether it is permanent
    (
        r"node\.kubernetes\.io/(not-ready|unreachable|network-unavailable)",
        "the nodes are not ready yet",
        "wait for the nodes",
        False,
    ),
    (
        VOLUME,
        "its volume is on another node",
        "delete the PersistentVolumeClaim (its data is lost), or go back to one node",
        True,
    ),
    (
        SELECTOR,
        "no node has the labels of its node selector",
        "label a node (`cluster.kind.nodes[].labels` in kindctl.yaml), or remove the selector",
        True,
    ),
    (
        "untolerated taint",
        "the nodes have a taint that it does not tolerate",
        "add a toleration to the pod",
        True,
    ),
    ("free ports", "another pod uses its host port", "use one controller, or other ports", False),
)

UNITS = {
    "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


def explain(evidence: Evidence) -> Cause | None:
    return strongest(_cause(evidence, pod) for pod in evidence.unready_pods())


def _cause(evidence: Evidence, pod: Object) -> Cause | None:
    scheduled = condition(pod, "PodScheduled")
    events = evidence.events_about(pod, "FailedScheduling")
    message = scheduled.get("message") or "".join(events.messages[:1])
    if scheduled.get("status") != "False" or CLAIM in message or not NOBODY.search(message):
        return None
    why, fix, permanent = _judge(evidence, pod, message)
    return Cause(
        code="unschedulable",
        what=f"no node can run {title(pod)}: {why}",
        fix=fix,
        cites=(message,),
        permanent=permanent,
        sure=0.9 if permanent else 0.6,
        since=latest(parse_time(scheduled.get("lastTransitionTime")), events.last_seen),
    )


def _judge(evidence: Evidence, pod: Object, message: str) -> tuple[str, str, bool]:
    """Return why no node can run the pod, what to do, and whether that is permanent."""
    # Until all nodes are ready, they may still get labels and lose taints.
    booted = bool(evidence.nodes) and all(map(is_ready, evidence.nodes))
    if re.search(VOLUME, message) and (closed := _cordoned(evidence.nodes)):
        fix = (
            f"run `kubectl uncordon {closed[0]}`, or delete the PersistentVolumeClaim and its data"
        )
        return f"the pod's volume is on a cordoned node ({', '.join(closed)})", fix, booted
    for phrase, why, fix, lasts in REASONS:
        if re.search(phrase, message):
            # the scheduler's message may be older than a node's latest change
            overtaken = any(_would_take(node, pod) for node in evidence.nodes)
            return why + _selector(pod, phrase), fix, lasts and booted and not overtaken
    lacking = re.findall(r"Insufficient ([\w./-]*\w)", message)
    if not lacking:
        return (
            "see the scheduler's message",
            "correct the problem that the scheduler's message describes",
            False,
        )
    too_much = any(_exceeds_all(pod, evidence.nodes, name) for name in lacking)
    return (
        f"the pod requests more {' and '.join(lacking)} than {'any node has' if too_much else 'is free'}",
        "lower resources.requests, or remove other workloads from the cluster",
        booted and too_much,
    )


def _cordoned(nodes: Sequence[Object]) -> list[str]:
    return [n["metadata"]["name"] for n in nodes if n.get("spec", {}).get("unschedulable")]


def _would_take(node: Object, pod: Object) -> bool:
    """Return whether the node has the labels that the pod selects, and only taints that it tolerates."""
    spec, labels = pod.get("spec", {}), node["metadata"].get("labels", {})
    selected = spec.get("nodeSelector", {}).items() <= labels.items()
    tolerated = {entry.get("key") for entry in spec.get("tolerations", ())}
    taints = (
        taint["key"]
        for taint in node.get("spec", {}).get("taints", ())
        if taint.get("effect") != "PreferNoSchedule"
    )
    has_affinity = "affinity" in spec  # not evaluated: the scheduler's message stands
    return selected and not has_affinity and all(key in tolerated for key in taints)


def _selector(pod: Object, phrase: str) -> str:
    selector = pod.get("spec", {}).get("nodeSelector", {})
    if phrase != SELECTOR or not selector:
        return ""
    return f" ({', '.join(f'{name}={value}' for name, value in selector.items())})"


def _exceeds_all(pod: Object, nodes: Sequence[Object], name: str) -> bool:
    """Return whether the pod requests more of the resource `name` than the largest node has."""
    requested = sum(
        _quantity(container.get("resources", {}).get("requests", {}).get(name, "0"))
        for container in pod.get("spec", {}).get("containers", ())
    )
    allocatable = [
        _quantity(n.get("status", {}).get("allocatable", {}).get(name, "0")) for n in nodes
    ]
    return bool(allocatable) and requested > max(allocatable)


def _quantity(text: str) -> float:
    """Return the value of a quantity. For example, "500m" is 0.5, and "1Gi" is 1073741824.

    The kubernetes client has such a function, but importing it opens a socket, and the modules of causes
    must do no I/O.
    """
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    return float(match[1]) * UNITS.get(match[2], 1) if match else 0.0
