"""A Job has used up its tries or its time.

Such a cause has no age: whenever it failed, nothing but a new Job can succeed, and nothing makes one by
itself.
"""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import LOG_LINES, of
from kindctl.kube_objects import condition
from kindctl.models import Cause, Object


def explain(evidence: Evidence) -> Cause | None:
    for job in evidence.workloads:
        failed = condition(job, "Failed")
        if job.get("kind") != "Job" or failed.get("status") != "True" or _of_cron(job):
            continue
        return Cause(
            code="job-failed",
            what=f"{of(job)} has failed: {failed.get('message') or failed.get('reason', '')}",
            fix=f"see its log and correct it, then: kubectl -n {job['metadata'].get('namespace', '')} "
            f"delete job {job['metadata']['name']} && kindctl up",
            cites=_last_lines(evidence, job),
            permanent=True,
            sure=0.95,
        )
    return None


def _of_cron(job: Object) -> bool:
    """A CronJob's run: the next one may do better, and nothing waits for it."""
    return any(
        owner.get("kind") == "CronJob" for owner in job["metadata"].get("ownerReferences", ())
    )


def _last_lines(evidence: Evidence, job: Object) -> tuple[str, ...]:
    """Of its last pod that said anything; pods are called JOB-XXXXX."""
    meta = job["metadata"]
    start = f"{meta.get('namespace', '')}/{meta['name']}-"
    said = [lines for key, lines in evidence.logs.items() if key.startswith(start) and lines]
    return tuple(said[-1])[-LOG_LINES:] if said else ()
