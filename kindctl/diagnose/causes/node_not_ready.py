"""A node is not ready: its kubelet does not run, or its network is not set up."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence, parse_time
from kindctl.kube_objects import condition
from kindctl.models import Cause

CGROUP_V1 = "kubelet is configured to not run on a host using cgroup v1"
NO_NETWORK = "NetworkPluginNotReady"


def explain(evidence: Evidence) -> Cause | None:
    refusal = tuple(line for lines in evidence.logs.values() for line in lines if CGROUP_V1 in line)
    if refusal:
        return Cause(
            code="node-not-ready",
            what="the kubelet refuses to run on cgroup v1, which the container engine uses",
            fix="set failCgroupV1: false in a KubeletConfiguration patch (kindctl sets it unless "
            "`cluster.kind` overrides it)",
            cites=refusal[:1],
            permanent=True,
        )
    for node in evidence.nodes:
        ready = condition(node, "Ready")
        if ready.get("status") == "True":
            continue
        message = ready.get("message", "")
        no_network = NO_NETWORK in message
        why = "its network is not set up yet" if no_network else ready.get("reason", "")
        return Cause(
            code="node-not-ready",
            what=f"node {node['metadata']['name']} is not ready: {why}",
            fix="`kindctl logs` shows the node's log; if the node does not become ready, "
            "run `kindctl down` and `kindctl up`",
            cites=(message,) if message else (),
            sure=0.8,
            since=parse_time(ready.get("lastTransitionTime")),
        )
    return None
