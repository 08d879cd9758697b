"""The configuration that kind gets: ours, with what the user passes through merged into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from kindctl.models import GATEWAY_NODE, PortMapping

INGRESS_NODE_LABEL = "ingress-ready"
"""The node whose ports are mapped; kind's own examples use this label, and stock manifests select it."""


def kind_config(
    *,
    image: str,
    mappings: Sequence[PortMapping],
    workers: int,
    cgroup_version: int,
    minor: int,
    extra: Mapping[str, Any],
    gateways: int = 0,
) -> str:
    """YAML for `kind create cluster --config`. `minor` is Kubernetes' minor version."""
    control_plane: dict[str, Any] = {
        "role": "control-plane",
        "image": image,
        "labels": {INGRESS_NODE_LABEL: "true"},
        "extraPortMappings": [
            {
                "containerPort": mapping.node_port,
                "hostPort": mapping.host_port,
                "listenAddress": mapping.address,
            }
            for mapping in mappings
        ],
    }
    if gateways and not workers:  # where the pods of apps have no other node to go to
        control_plane["kubeadmConfigPatches"] = [_untainted()]
    worker = {"role": "worker", "image": image}
    nodes = [
        control_plane,
        *(dict(worker) for _ in range(workers)),
        *(worker | _gateway() for _ in range(gateways)),
    ]
    extra = dict(extra)
    for key in ("extraMounts", "extraPortMappings"):  # kind has these per node
        if shared := extra.pop(key, []):
            for node in nodes if key == "extraMounts" else nodes[:1]:
                node[key] = [*node.get(key, []), *shared]
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": nodes,
        **extra,
    }
    patches = [yaml.safe_dump(_kubelet(cgroup_version, minor), sort_keys=False)]
    config["kubeadmConfigPatches"] = [*patches, *extra.get("kubeadmConfigPatches", [])]
    return str(yaml.safe_dump(config, sort_keys=False))


def _untainted() -> str:
    """A control plane that takes pods, as kind makes it where it is the only node."""
    init = {"kind": "InitConfiguration", "nodeRegistration": {"taints": []}}
    return str(yaml.safe_dump(init, sort_keys=False))


def _gateway() -> dict[str, Any]:
    """A node that is labelled by kind and tainted by kubeadm, so that it never was without."""
    taint = {"key": GATEWAY_NODE, "effect": "NoSchedule"}
    join = {"kind": "JoinConfiguration", "nodeRegistration": {"taints": [taint]}}
    patch = yaml.safe_dump(join, sort_keys=False)
    return {"labels": {GATEWAY_NODE: "true"}, "kubeadmConfigPatches": [patch]}


def _kubelet(cgroup_version: int, minor: int) -> dict[str, Any]:
    """Kubelet settings for a development cluster; each is read by kubeadm as a patch."""
    kubelet: dict[str, Any] = {
        "kind": "KubeletConfiguration",
        # static pods and volumes are looked at more often: a start waits for these, not for work
        "fileCheckFrequency": "1s",
        "syncFrequency": "2s",
    }
    if minor >= 35:
        # 10 s, doubling, is what a restarted node waits for otherwise (KEP-4603, default in 1.35)
        kubelet["crashLoopBackOff"] = {"maxContainerRestartPeriod": "1s"}
        if cgroup_version == 1:
            kubelet["failCgroupV1"] = False  # minikube#22315: kubelet 1.35 refuses cgroup v1
    return kubelet
