"""Tests of diagnose/causes/pvc_pending.py."""

from __future__ import annotations

from typing import Any

import pytest

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object
from tests.support.evidence import cause, event, node, unscheduled


def claim(**spec: Any) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "example"},
        "spec": spec,
        "status": {"phase": "Pending"},
    }


def test_a_claim_of_an_unknown_class_is_permanent_and_explains_its_pod() -> None:
    wanted = claim(storageClassName="fast")
    words = 'storageclass.storage.k8s.io "fast" not found'
    stuck = unscheduled("pod has unbound immediate PersistentVolumeClaims.")
    found = cause(
        Evidence(
            pods=[stuck],
            nodes=[node()],
            claims=[wanted],
            events=[event(wanted, "ProvisioningFailed", words)],
        )
    )
    assert (found.code, found.permanent, found.cites) == ("pvc-pending", True, (words,))
    assert "no storage class fast" in found.what


@pytest.mark.parametrize("asked", [{}, {"storageClassName": "standard"}])
def test_the_default_class_may_be_on_its_way(asked: dict[str, str]) -> None:
    words = "no persistent volumes available for this claim and no storage class is set"
    if asked:
        words = 'storageclass.storage.k8s.io "standard" not found'
    wanted = claim(**asked)
    evidence = Evidence(claims=[wanted], events=[event(wanted, "FailedBinding", words)])
    assert not cause(evidence).permanent


def test_a_claim_that_waits_for_its_first_pod_is_in_order() -> None:
    words = "waiting for first consumer to be created before binding"
    wanted = claim()
    evidence = Evidence(claims=[wanted], events=[event(wanted, "WaitForFirstConsumer", words)])
    assert explain(evidence) is None


def test_a_provisioner_at_work_is_passing() -> None:
    words = "Waiting for a volume to be created either by the external provisioner 'x' or manually"
    wanted = claim(storageClassName="standard")
    evidence = Evidence(claims=[wanted], events=[event(wanted, "ExternalProvisioning", words)])
    assert not cause(evidence).permanent
