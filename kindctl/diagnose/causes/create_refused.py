"""Pods are not even created: a quota, a limit range or the namespace's pod security forbids them."""

from __future__ import annotations

import re

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import happened, newest_first
from kindctl.models import Cause, Object

REFUSALS = (
    ("exceeded quota", "raise the namespace's ResourceQuota, or ask for less"),
    (
        "violates PodSecurity",
        "set a securityContext that the namespace's pod security level allows",
    ),
    ("limits? to? ?request|minimum|maximum", "ask for what the namespace's LimitRange allows"),
    ("serviceaccount .* not found", "add the ServiceAccount to the manifests"),
    ("forbidden", "the namespace's policies do not allow these pods"),
)
PASSING = "serviceaccount .* not found"  # it may only not have been applied yet


def explain(evidence: Evidence) -> Cause | None:
    for event in newest_first(evidence.events):
        message = event.get("message", "")
        if event.get("reason") != "FailedCreate" or "failed calling webhook" in message:
            continue
        if "forbidden" not in message or _has_its_pods(evidence, event):
            continue
        target = event["involvedObject"]
        fix = next(fix for words, fix in REFUSALS if re.search(words, message))
        return Cause(
            code="create-refused",
            what=f"the pods of {target['kind'].lower()} {target.get('namespace', '')}/{target['name']} "
            "are refused",
            fix=fix,
            cites=(message,),
            permanent=not re.search(PASSING, message),
            sure=0.95,
            since=happened(event),
        )
    return None


def _has_its_pods(evidence: Evidence, event: Object) -> bool:
    """Whether the workload behind the event has got all its pods since, or wants none any more."""
    target = event["involvedObject"]
    where = (target["kind"], target.get("namespace"), target["name"])
    for workload in evidence.workloads:
        meta = workload["metadata"]
        if (workload.get("kind"), meta.get("namespace"), meta["name"]) == where:
            wanted = workload.get("spec", {}).get("replicas", 1)
            return bool(workload.get("status", {}).get("readyReplicas", 0) >= wanted)
    return False
