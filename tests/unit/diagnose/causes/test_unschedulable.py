"""Tests of diagnose/causes/unschedulable.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import after, cause, event, node, unscheduled


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        ("1 node(s) didn't match Pod's node affinity/selector. preemption: ...", True, "disk=ssd"),
        ("1 node(s) had untolerated taint(s) {dedicated: gpu}.", True, "taint"),
        (
            "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
            False,
            "not ready yet",
        ),
        ("1 node(s) had volume node affinity conflict.", True, "volume"),
        (
            "1 node(s) didn't match PersistentVolume's node affinity, "
            "1 node(s) had untolerated taint(s).",
            True,
            "volume",
        ),
        ("1 node(s) didn't have free ports for the requested pod ports.", False, "host port"),
        ("1 Insufficient cpu. no new claims to deallocate", False, "more cpu than is free"),
        ("1 of something new.", False, "scheduler"),
    ],
)
def test_why_no_node_takes_a_pod(message: str, permanent: bool, words: str) -> None:
    stuck = unscheduled(message, spec={"nodeSelector": {"disk": "ssd"}})
    again = event(stuck, "FailedScheduling", f"0/1 nodes are available: {message}", seen=31)
    found = cause(Evidence(pods=[stuck], nodes=[node()], events=[again]))
    assert (found.code, found.permanent, found.since) == ("unschedulable", permanent, after(31))
    assert words in found.what
    assert message in found.cites[0]


def test_a_node_that_still_boots_may_yet_get_its_labels() -> None:
    stuck = unscheduled("1 node(s) didn't match Pod's node affinity/selector.")
    booting = node({"type": "Ready", "status": "False", "reason": "KubeletNotReady"})
    assert not cause(Evidence(pods=[stuck], nodes=[booting])).permanent


def test_asking_for_more_than_any_node_has_is_permanent() -> None:
    stuck = unscheduled(
        "1 Insufficient cpu.", container={"resources": {"requests": {"cpu": "2500m"}}}
    )
    found = cause(Evidence(pods=[stuck], nodes=[node()]))
    assert found.permanent
    assert "than any node has" in found.what


@pytest.mark.parametrize(
    ("resource", "requested", "allocatable", "too_much"),
    [
        ("cpu", "2500m", "2", True),
        ("cpu", "500m", "0.5", False),
        ("memory", "129Mi", "128Mi", True),
        ("memory", "1Gi", "1073741824", False),
        ("memory", "1Gi", "1G", True),
        ("pods", "1001", "1k", True),
    ],
)
def test_requests_are_compared_as_quantities(
    resource: str, requested: str, allocatable: str, too_much: bool
) -> None:
    stuck = unscheduled(
        f"1 Insufficient {resource}.", container={"resources": {"requests": {resource: requested}}}
    )
    found = cause(Evidence(pods=[stuck], nodes=[node(allocatable={resource: allocatable})]))
    assert found.permanent is too_much
