"""Runs a controller in several replicas, so that no request is lost when one of them stops."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import GATEWAY_NODE, Object

LIMITS = {"cpu": "1", "memory": "512Mi"}


@dataclass(frozen=True)
class Scaling:
    """How many replicas of a controller run, and where."""

    replicas: int = 1  # with an autoscaler: the minimum
    autoscale: tuple[int, int] | None = None  # (most replicas, percent of the requested CPU)
    gateway_nodes: int = 0  # number of nodes for the controller alone

    @property
    def is_asked_for(self) -> bool:
        return self != Scaling()


def replicate(workload: Object, scaling: Scaling, *, grace: int) -> list[Object]:
    """Change a workload so that it runs in several replicas, and return the objects that it needs for that.

    A DaemonSet has a pod on each node as it is, so only its nodes are chosen. `grace`: seconds from a pod's
    deletion until it is killed.
    """
    spec = workload["spec"]
    pod = spec["template"]["spec"]
    pod["terminationGracePeriodSeconds"] = grace
    for container in pod["containers"]:
        container.setdefault("resources", {})["limits"] = dict(LIMITS)
    if scaling.gateway_nodes:
        pod.setdefault("nodeSelector", {})[GATEWAY_NODE] = "true"
        pod.setdefault("tolerations", []).append(
            {"key": GATEWAY_NODE, "operator": "Exists", "effect": "NoSchedule"}
        )
    if workload["kind"] == "DaemonSet":
        return []
    spec["replicas"] = scaling.replicas
    # a new pod is ready before an old one stops
    spec["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    pod["topologySpreadConstraints"] = [_spread(spec["selector"])]
    return [_budget(workload), *_scalers(workload, scaling)]


def _spread(selector: Object) -> Object:
    """Return a constraint that spreads the pods evenly over the nodes that may run them. Cordoned and lost
    nodes do not count, so that their pods can run elsewhere. Pods of an older template do not count
    either, so that the pods are spread evenly when a rollout ends."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": selector,
        "matchLabelKeys": ["pod-template-hash"],
    }


def _budget(deployment: Object) -> Object:
    """Return a PodDisruptionBudget: draining nodes stops one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": deployment["spec"]["selector"]}
    return _companion(deployment, "policy/v1", "PodDisruptionBudget", spec)


def _scalers(deployment: Object, scaling: Scaling) -> list[Object]:
    if scaling.autoscale is None:
        return []
    most, cpu = scaling.autoscale
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
    aim = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": scaling.replicas,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": aim}],
    }
    return [_companion(deployment, "autoscaling/v2", "HorizontalPodAutoscaler", spec)]


def _companion(deployment: Object, api_version: str, kind: str, spec: Object) -> Object:
    meta = deployment["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {key: meta[key] for key in ("name", "namespace", "labels") if key in meta},
        "spec": spec,
    }
