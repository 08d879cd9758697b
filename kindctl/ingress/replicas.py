"""A controller in several replicas, so that one may go and no request is lost.

Functions on its Deployment.
"""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import GATEWAY_NODE, Object

LIMITS = {"cpu": "1", "memory": "512Mi"}


@dataclass(frozen=True)
class Scaling:
    """In how many replicas a controller runs, and where."""

    replicas: int = 1  # the least, where there is an autoscaler
    autoscale: tuple[int, int] | None = None  # (most replicas, percent of the requested CPU)
    gateway_nodes: int = 0  # nodes that are the controller's alone

    @property
    def is_asked_for(self) -> bool:
        return self != Scaling()


def replicate(deployment: Object, scaling: Scaling, *, grace: int) -> list[Object]:
    """Shape the Deployment, and give the objects that belong to it. `grace`: seconds that a pod has from
    its deletion to its end."""
    spec = deployment["spec"]
    spec["replicas"] = scaling.replicas
    # a new one is ready before an old one goes
    spec["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    pod = spec["template"]["spec"]
    pod["terminationGracePeriodSeconds"] = grace
    pod["topologySpreadConstraints"] = [_spread(spec["selector"])]
    for container in pod["containers"]:
        container.setdefault("resources", {})["limits"] = dict(LIMITS)
    if scaling.gateway_nodes:
        pod.setdefault("nodeSelector", {})[GATEWAY_NODE] = "true"
        pod.setdefault("tolerations", []).append(
            {"key": GATEWAY_NODE, "operator": "Exists", "effect": "NoSchedule"}
        )
    return [_budget(deployment), *_scalers(deployment, scaling)]


def _spread(selector: Object) -> Object:
    """Evenly over the nodes that may have them. Those that are cordoned or gone do not count, so that their
    share runs elsewhere; the pods of an older template neither, so that a rollout ends evenly."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": selector,
        "matchLabelKeys": ["pod-template-hash"],
    }


def _budget(deployment: Object) -> Object:
    """A drained node takes one at a time."""
    spec = {"maxUnavailable": 1, "selector": deployment["spec"]["selector"]}
    return _beside(deployment, "policy/v1", "PodDisruptionBudget", spec)


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
    return [_beside(deployment, "autoscaling/v2", "HorizontalPodAutoscaler", spec)]


def _beside(deployment: Object, api_version: str, kind: str, spec: Object) -> Object:
    meta = deployment["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {key: meta[key] for key in ("name", "namespace", "labels") if key in meta},
        "spec": spec,
    }
