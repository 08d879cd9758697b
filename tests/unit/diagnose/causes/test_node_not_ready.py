"""Tests of diagnose/causes/node_not_ready.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import after, at, cause, node, unscheduled


def test_a_node_without_its_network_is_passing_and_explains_unscheduled_pods() -> None:
    booting = node(
        {
            "type": "Ready",
            "status": "False",
            "reason": "KubeletNotReady",
            "message": "container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not "
            "initialized",
            "lastTransitionTime": at(3),
        }
    )
    stuck = unscheduled("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.")
    found = cause(Evidence(pods=[stuck], nodes=[booting]))
    assert (found.code, found.permanent, found.since) == ("node-not-ready", False, after(3))
    assert "network is not set up" in found.what


def test_a_kubelet_that_refuses_control_groups_v1_is_permanent() -> None:
    line = (
        'E1124 "command failed" err="failed to validate kubelet configuration, error: kubelet is '
        'configured to not run on a host using cgroup v1"'
    )
    found = cause(Evidence(logs={"shop-control-plane/kubelet": [line]}))
    assert (found.code, found.permanent, found.cites) == ("node-not-ready", True, (line,))
    assert "failCgroupV1" in found.fix
