"""A Job has failed: it has reached its backoffLimit or its activeDeadlineSeconds.

The cause has no `since`, because it does not matter when the Job failed: only a new Job can succeed, and
nothing creates one by itself.
"""

from __future__ import annotations

from kindctl.diagnose.evidence import LOG_LINES, Evidence, title
from kindctl.kube_objects import condition
from kindctl.models import Cause, Object


def explain(evidence: Evidence) -> Cause | None:
    for job in evidence.workloads:
        failed = condition(job, "Failed")
        if job.get("kind") != "Job" or failed.get("status") != "True" or _is_cron(job):
            continue
        meta = job["metadata"]
        return Cause(
            code="job-failed",
            what=f"{title(job)} has failed: {failed.get('message') or failed.get('reason', '')}",
            fix="read the log of the Job's pod and correct the Job, then run: kubectl -n "
            f"{meta.get('namespace', '')} delete job {meta['name']} && kindctl up",
            cites=_last_lines(evidence, job),
            permanent=True,
            sure=0.95,
        )
    return None


def _is_cron(job: Object) -> bool:
    """Return whether a CronJob created the Job. Nothing waits for such a Job, and the next may succeed."""
    owners = job["metadata"].get("ownerReferences", ())
    return any(owner.get("kind") == "CronJob" for owner in owners)


def _last_lines(evidence: Evidence, job: Object) -> tuple[str, ...]:
    """Return the last log lines of the Job's last pod that has a log. Pods are called JOB-XXXXX."""
    meta = job["metadata"]
    start = f"{meta.get('namespace', '')}/{meta['name']}-"
    logs = [lines for key, lines in evidence.logs.items() if key.startswith(start) and lines]
    return tuple(logs[-1])[-LOG_LINES:] if logs else ()
