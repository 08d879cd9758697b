"""MetalLB in L2 mode: addresses for Services of type LoadBalancer, from the network of the nodes.

This is the smallest set-up that works: no webhook, no memberlist (the death of a node is noticed by
Kubernetes, and no earlier), no BGP. The custom resources that it watches are defined without
schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from kindctl.components.base import Addon, Neighbours, Setup
from kindctl.components.metallb.pool import choose
from kindctl.images.pins import METALLB_CONTROLLER, METALLB_SPEAKER
from kindctl.kube_objects import entries
from kindctl.manifests.pods import Resolve, containers
from kindctl.models import Object, ObjectRef
from kindctl.tools.lock import hold
from kindctl.tools.protocols import Cluster

NAMESPACE = "metallb-system"
POOL = ObjectRef("metallb.io/v1beta1", "IPAddressPool", "kindctl", NAMESPACE)
LOCK = "address-Pools"  # the capital keeps it apart from the names of environments
LOCK_SECONDS = 120.0


class MetalLB(Addon):
    """See components.base.Addon and Exclusive."""

    name = "metallb"
    namespace = NAMESPACE
    package = __name__
    files = ("rbac.yaml", "crds.yaml", "config.yaml", "workloads.yaml", "pool.yaml")
    container_images: ClassVar[Mapping[str, str]] = {
        "controller": METALLB_CONTROLLER,
        "speaker": METALLB_SPEAKER,
    }
    gives_addresses = True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._ask_neighbours = setup.neighbours
        self._neighbours: Neighbours | None = None

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Return a lock that keeps two environments from choosing a pool at the same time, and so from
        choosing the same pool. While the lock is held, the other environments are asked again for their
        addresses."""
        with hold(LOCK, wait=LOCK_SECONDS):
            self._neighbours = None
            yield

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = super().objects(cluster, resolve)
        for obj in objects:
            if obj["kind"] == "IPAddressPool":
                obj["spec"]["addresses"] = [self._pool(cluster)]
            for _, container in containers(obj):
                for variable in container["env"]:
                    if variable["name"] == "KUBERNETES_SERVICE_HOST":
                        variable["value"] = f"{self.environment}-control-plane"
        return objects

    def _pool(self, cluster: Cluster) -> str:
        """Return the addresses that MetalLB assigns. The cluster keeps the addresses of its present pool
        if they are still free."""
        present = entries(cluster.get(POOL) or {}, "spec", "addresses") or [""]
        if self._neighbours is None:
            self._neighbours = self._ask_neighbours()
        return choose(self.environment, self._neighbours, str(present[0]))
