"""Tests of diagnose/causes/job_failed.py."""

from __future__ import annotations

from typing import Any

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object
from tests.support.evidence import at, cause


def failed_job(**meta: Any) -> Object:
    return {
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "example", **meta},
        "status": {
            "conditions": [
                {
                    "type": "Failed",
                    "status": "True",
                    "reason": "BackoffLimitExceeded",
                    "message": "Job has reached the specified backoff limit",
                    "lastTransitionTime": at(29),
                }
            ]
        },
    }


def test_a_job_that_gave_up_cites_its_pods_last_words() -> None:
    logs = {"example/migrate-8xk2p/c": ["cannot migrate"]}
    found = cause(Evidence(workloads=[failed_job()], logs=logs))
    assert (found.code, found.permanent, found.since) == ("job-failed", True, None)
    assert found.cites == ("cannot migrate",)


def test_a_run_of_a_cron_job_is_nobodys_wait() -> None:
    job = failed_job(ownerReferences=[{"kind": "CronJob", "name": "nightly"}])
    assert explain(Evidence(workloads=[job])) is None
