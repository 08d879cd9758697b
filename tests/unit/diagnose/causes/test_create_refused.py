"""Tests of diagnose/causes/create_refused.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object
from tests.support.evidence import REPLICASET, cause, event


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        (
            "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0",
            True,
            "ResourceQuota",
        ),
        ('violates PodSecurity "restricted:latest": runAsNonRoot != true', True, "securityContext"),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", True, "LimitRange"),
        (
            'error looking up service account: serviceaccount "nobody" not found',
            False,
            "ServiceAccount",
        ),
    ],
)
def test_refused_pods(message: str, permanent: bool, words: str) -> None:
    refused = event(
        REPLICASET,
        "FailedCreate",
        f'Error creating: pods "web-557f967b46-x" is forbidden: {message}',
    )
    found = cause(Evidence(workloads=[REPLICASET], events=[refused]))
    assert (found.code, found.permanent) == ("create-refused", permanent)
    assert words in found.fix
    assert message in found.cites[0]


@pytest.mark.parametrize("now", [{"spec": {"replicas": 0}}, {"status": {"readyReplicas": 1}}])
def test_a_refusal_that_is_over_is_not_held_against_it(now: Object) -> None:
    refused = event(REPLICASET, "FailedCreate", "Error creating: forbidden: exceeded quota: q")
    assert explain(Evidence(workloads=[{**REPLICASET, **now}], events=[refused])) is None
