"""Tests of diagnose/causes/node_pressure.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import after, at, cause, event, node, pod, unscheduled


def test_a_full_disk_is_named_rather_than_the_pods_that_it_evicts() -> None:
    full = node(
        {"type": "Ready", "status": "True"},
        {
            "type": "DiskPressure",
            "status": "True",
            "message": "kubelet has disk pressure",
            "lastTransitionTime": at(40),
        },
    )
    evicted = event(pod(), "Evicted", "The node was low on resource: ephemeral-storage.", seen=41)
    stuck = unscheduled("1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.")
    found = cause(Evidence(pods=[stuck], nodes=[full], events=[evicted]))
    assert (found.code, found.permanent, found.since) == ("node-pressure", True, after(41))
    assert "disk space" in found.what
    assert len(found.cites) == 2
