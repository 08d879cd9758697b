"""Makes the configuration for kind, including the user's own options (`cluster.kind`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from kindctl.models import GATEWAY_NODE, PortMapping

INGRESS_NODE_LABEL = "ingress-ready"
"""Label of the node whose ports are mapped. kind's examples and many manifests use it."""


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
    """Return the YAML for `kind create cluster --config`. `minor` is the minor version of Kubernetes."""
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
    if gateways and not workers:  # the control plane has to run the pods of apps
        control_plane["kubeadmConfigPatches"] = [
            _patch("InitConfiguration", nodeRegistration={"taints": []})
        ]
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
    patches = [_kubelet(cgroup_version, minor), *extra.get("kubeadmConfigPatches", [])]
    config["kubeadmConfigPatches"] = patches
    return str(yaml.safe_dump(config, sort_keys=False))


def _patch(kind: str, **fields: Any) -> str:
    """Return a patch for one of kubeadm's configurations."""
    return str(yaml.safe_dump({"kind": kind, **fields}, sort_keys=False))


def _gateway() -> dict[str, Any]:
    """Return the settings that give a gateway node its label and taint when it joins the cluster."""
    taint = {"key": GATEWAY_NODE, "effect": "NoSchedule"}
    patch = _patch("JoinConfiguration", nodeRegistration={"taints": [taint]})
    return {"labels": {GATEWAY_NODE: "true"}, "kubeadmConfigPatches": [patch]}


def _kubelet(cgroup_version: int, minor: int) -> str:
    """Return kubelet settings for a development cluster, as a patch for kubeadm."""
    kubelet: dict[str, Any] = {
        # check static pods and volumes more often, because starting pods wait for these checks
        "fileCheckFrequency": "1s",
        "syncFrequency": "2s",
    }
    if minor >= 35:
        # otherwise pods of a restarted node wait 10 s, then 20 s (KEP-4603, on by default in 1.35)
        kubelet["crashLoopBackOff"] = {"maxContainerRestartPeriod": "1s"}
        if cgroup_version == 1:
            kubelet["failCgroupV1"] = False  # minikube#22315: kubelet 1.35 refuses cgroup v1
    return _patch("KubeletConfiguration", **kubelet)
