"""What tools read to find the registry of a cluster: ConfigMap local-registry-hosting in kube-public.

KEP-1755, https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Object, Route
from kindctl.tools.protocols import Cluster

HELP = "https://github.com/kindctl/kindctl/blob/main/docs/ways-in/registry.md"


@dataclass
class LocalRegistryHosting:
    """See components.base.Component. `host`: as people and manifests write it; `inner`: as it is named on
    kind's network, which pods reach too."""

    host: str
    inner: str
    left_to_others: Collection[str] = ()

    name = "local-registry"
    namespace = "kube-public"
    has_late_objects = False

    def images(self) -> Sequence[str]:
        return ()

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        import yaml

        fields = {
            "host": self.host,
            "hostFromContainerRuntime": self.inner,
            "hostFromClusterNetwork": self.inner,
            "help": HELP,
        }
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "local-registry-hosting", "namespace": self.namespace},
                "data": {"localRegistryHosting.v1": yaml.safe_dump(fields, sort_keys=False)},
            }
        ]

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return []

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()
