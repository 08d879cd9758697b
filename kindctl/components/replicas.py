"""A controller in several replicas, so that one may go and no request is lost.

Functions on its Deployment.
"""

from __future__ import annotations

from kindctl.components.base import Setup
from kindctl.models import GATEWAY_NODE, Object

LIMITS = {"cpu": "1", "memory": "512Mi"}


def are_asked_for(setup: Setup) -> bool:
    return setup.replicas > 1 or setup.autoscale is not None or setup.gateways > 0


def replicate(deployment: Object, setup: Setup, *, grace: int) -> list[Object]:
    """Shape the Deployment, and give the objects that belong to it. `grace`: seconds that a pod has from
    its deletion to its end."""
    spec = deployment["spec"]
    spec["replicas"] = setup.replicas
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
    if setup.gateways:
        pod.setdefault("nodeSelector", {})[GATEWAY_NODE] = "true"
        pod.setdefault("tolerations", []).append(
            {"key": GATEWAY_NODE, "operator": "Exists", "effect": "NoSchedule"}
        )
    return [_budget(deployment), *_scalers(deployment, setup)]


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


def _scalers(deployment: Object, setup: Setup) -> list[Object]:
    if setup.autoscale is None:
        return []
    most, cpu = setup.autoscale
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
    aim = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": setup.replicas,
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
