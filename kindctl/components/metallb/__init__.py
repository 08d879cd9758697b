"""MetalLB in L2 mode: addresses for Services of type LoadBalancer, from the network of the nodes.

The smallest that does it: no webhook, no memberlist (a node's death is noticed by Kubernetes, not
earlier), no BGP; the kinds that it watches are defined without their schemas.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from kindctl.components.base import Neighbours, Setup
from kindctl.components.metallb.pool import choose
from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Object, ObjectRef, Route
from kindctl.tools.lock import hold
from kindctl.tools.protocols import Cluster

CONTROLLER = "quay.io/metallb/controller:v0.16.1"
SPEAKER = "quay.io/metallb/speaker:v0.16.1"
NAMESPACE = "metallb-system"
POOL = ObjectRef("metallb.io/v1beta1", "IPAddressPool", "kindctl", NAMESPACE)
LOCK = "address-Pools"  # no environment's name has capitals
LOCK_SECONDS = 120.0
MANIFESTS = ("rbac.yaml", "crds.yaml", "config.yaml", "workloads.yaml", "pool.yaml")


class MetalLB:
    """See components.base.Component and Exclusive."""

    name = "metallb"
    namespace = NAMESPACE
    left_to_others: Collection[str] = ()
    has_late_objects = False

    def __init__(self, setup: Setup) -> None:
        self._environment = setup.environment
        self._neighbours = setup.neighbours
        self._around: Neighbours | None = None

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """So that no two environments choose the same pool: what the others have is asked anew."""
        with hold(LOCK, wait=LOCK_SECONDS):
            self._around = None
            yield

    def images(self) -> Sequence[str]:
        return (CONTROLLER, SPEAKER)

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        images = {"Deployment": CONTROLLER, "DaemonSet": SPEAKER}
        objects = [obj for file in MANIFESTS for obj in copy.deepcopy(_parsed(file))]
        for obj in objects:
            if image := images.get(obj["kind"]):
                (container,) = obj["spec"]["template"]["spec"]["containers"]
                container["image"] = resolve(image)
                for variable in container["env"]:
                    if variable["name"] == "KUBERNETES_SERVICE_HOST":
                        variable["value"] = f"{self._environment}-control-plane"
            elif obj["kind"] == "IPAddressPool":
                obj["spec"]["addresses"] = [self._pool(cluster)]
        return objects

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return []

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()

    def _pool(self, cluster: Cluster) -> str:
        live = cluster.get(POOL)
        has = ((live or {}).get("spec") or {}).get("addresses") or [""]
        if self._around is None:
            self._around = self._neighbours()
        return choose(self._environment, self._around, str(has[0]))


def addon(setup: Setup) -> MetalLB:
    return MetalLB(setup)


@cache
def _parsed(file: str) -> list[Object]:
    import yaml

    text = files(__package__).joinpath("manifests", file).read_text()
    return list(yaml.safe_load_all(text))
