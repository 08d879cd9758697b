"""A node is not ready: its kubelet does not run, or its network is not set up."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import moment
from kindctl.kube_objects import condition
from kindctl.models import Cause

CGROUP_V1 = "kubelet is configured to not run on a host using cgroup v1"
NO_NETWORK = "NetworkPluginNotReady"


def explain(evidence: Evidence) -> Cause | None:
    refusal = tuple(line for lines in evidence.logs.values() for line in lines if CGROUP_V1 in line)
    if refusal:
        return Cause(
            code="node-not-ready",
            what="the kubelet refuses the engine's control groups v1",
            fix="set failCgroupV1: false in a KubeletConfiguration patch, as kindctl does unless "
            "`cluster.kind` says otherwise",
            cites=refusal[:1],
            permanent=True,
        )
    for node in evidence.nodes:
        ready = condition(node, "Ready")
        if ready.get("status") == "True":
            continue
        message = ready.get("message", "")
        return Cause(
            code="node-not-ready",
            what=f"node {node['metadata']['name']} is not ready: "
            + (
                "its network is not set up yet"
                if NO_NETWORK in message
                else ready.get("reason", "")
            ),
            fix="kindctl logs shows its log; if it stays so: `kindctl down`, then `kindctl up`",
            cites=(message,) if message else (),
            sure=0.8,
            since=moment(ready.get("lastTransitionTime")),
        )
    return None
