"""ConfigMap local-registry-hosting in kube-public, where tools look for the registry of a cluster.

KEP-1755, https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
"""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.manifests.pods import Resolve
from kindctl.models import Object
from kindctl.tools.protocols import Cluster

HELP = "https://github.com/kindctl/kindctl/blob/main/docs/ways-in/registry.md"


@dataclass
class LocalRegistryHosting(Component):
    """See components.base.Component."""

    host: str  # how people and manifests name the registry: localhost:5001
    inner: str  # its name on kind's network, which pods reach too

    name = "local-registry"
    namespace = "kube-public"

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
