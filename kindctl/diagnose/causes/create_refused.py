"""Pods cannot be created: a quota, a limit range or the namespace's Pod Security level forbids them."""

from __future__ import annotations

import re

from kindctl.diagnose.evidence import Evidence, happened
from kindctl.models import Cause, Object

NO_ACCOUNT = "serviceaccount .* not found"
REFUSALS = (  # the API server's words, what to do
    ("exceeded quota", "raise the namespace's ResourceQuota, or request less"),
    (
        "violates PodSecurity",
        "set a securityContext that the namespace's Pod Security level allows",
    ),
    ("limits? to? ?request|minimum|maximum", "request what the namespace's LimitRange allows"),
    (NO_ACCOUNT, "add the ServiceAccount to the manifests"),
    ("forbidden", "change the pods so that the namespace's policies allow them"),
)


def explain(evidence: Evidence) -> Cause | None:
    for event in evidence.recent_events():
        message = event.get("message", "")
        if event.get("reason") != "FailedCreate" or "failed calling webhook" in message:
            continue
        if "forbidden" not in message or _is_resolved(evidence, event):
            continue
        target = event["involvedObject"]
        owner = f"{target['kind'].lower()} {target.get('namespace', '')}/{target['name']}"
        return Cause(
            code="create-refused",
            what=f"the API server rejects the pods of {owner}",
            fix=next(fix for words, fix in REFUSALS if re.search(words, message)),
            cites=(message,),
            permanent=not re.search(NO_ACCOUNT, message),  # it may not have been applied yet
            sure=0.95,
            since=happened(event),
        )
    return None


def _is_resolved(evidence: Evidence, event: Object) -> bool:
    """Return whether the workload of the event now has all of its pods, or no longer wants any."""
    target = event["involvedObject"]
    where = (target["kind"], target.get("namespace"), target["name"])
    for workload in evidence.workloads:
        meta = workload["metadata"]
        if (workload.get("kind"), meta.get("namespace"), meta["name"]) == where:
            wanted = workload.get("spec", {}).get("replicas", 1)
            return bool(workload.get("status", {}).get("readyReplicas", 0) >= wanted)
    return False
