"""metrics-server: what nodes and pods use, for `kubectl top` and HorizontalPodAutoscalers.

Names and place are those of the official manifest, so that whoever looks for it finds it. Numbers exist
ten seconds or so after it is ready: when it has asked the kubelets twice.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files

from kindctl.components.base import Setup
from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Object, ObjectRef, Route
from kindctl.tools.protocols import Cluster

IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
NAMESPACE = "kube-system"
API = ObjectRef("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io")


class MetricsServer:
    """See components.base.Component."""

    name = "metrics-server"
    namespace = NAMESPACE
    left_to_others: Collection[str] = ()
    has_late_objects = True

    def images(self) -> Sequence[str]:
        return (IMAGE,)

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = [*_read("rbac.yaml"), *_read("server.yaml")]
        for obj in objects:
            if obj["kind"] == "Deployment":
                (container,) = obj["spec"]["template"]["spec"]["containers"]
                container["image"] = resolve(IMAGE)
        return objects

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return _read("api.yaml")

    def prove(self, cluster: Cluster) -> str:
        """The API server reaches it."""
        conditions = ((cluster.get(API) or {}).get("status") or {}).get("conditions") or ()
        available: Object = next((c for c in conditions if c.get("type") == "Available"), {})
        if available.get("status") == "True":
            return ""
        return f"its API is not available: {available.get('message') or 'not asked yet'}"

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()


def addon(setup: Setup) -> MetricsServer:
    return MetricsServer()


def _read(file: str) -> list[Object]:
    return copy.deepcopy(_parsed(file))


@cache
def _parsed(file: str) -> list[Object]:
    import yaml

    text = files(__package__).joinpath("manifests", file).read_text()
    return list(yaml.safe_load_all(text))
