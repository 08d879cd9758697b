"""metrics-server: what nodes and pods use, for `kubectl top` and HorizontalPodAutoscalers.

Names and namespace are those of the official manifest, so that tools find it where they expect it.
It has metrics some ten seconds after it is ready, when it has asked the kubelets twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kindctl.components.base import Addon
from kindctl.images.pins import METRICS_SERVER
from kindctl.kube_objects import condition
from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster

API = ObjectRef("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io")


class MetricsServer(Addon):
    """See components.base.Addon."""

    name = "metrics-server"
    namespace = "kube-system"
    package = __name__
    files = ("rbac.yaml", "server.yaml")
    container_images: ClassVar[Mapping[str, str]] = {"metrics-server": METRICS_SERVER}
    gives_metrics = True
    has_late_objects = True

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return self.shipped("api.yaml")

    def prove(self, cluster: Cluster) -> str:
        """Return why the API server cannot reach metrics-server; empty if it can."""
        available = condition(cluster.get(API) or {}, "Available")
        if available.get("status") == "True":
            return ""
        return f"the metrics API is not available: {available.get('message') or 'not checked yet'}"
