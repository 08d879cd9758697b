"""Who has the entry point of an environment."""

from __future__ import annotations

from kindctl.ingress.handover import NAMESPACE, SERVICE, Handover
from kindctl.models import COMPONENT_LABEL, ENVIRONMENT_LABEL, MANAGED_LABEL, MANAGER, Object
from tests.fakes.cluster import FakeCluster


def node_port_service(name: str) -> Object:
    labels = {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: "shop", COMPONENT_LABEL: "traefik"}
    spec = {"type": "NodePort", "selector": {"app": "other"}, "ports": [{"port": 80}]}
    meta = {"name": name, "namespace": NAMESPACE, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def holders(service: Object) -> frozenset[str]:
    cluster = FakeCluster()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    for obj in (namespace, service):
        cluster.apply(obj)
    return Handover("shop", ["ingress-nginx", "traefik"]).others(cluster, "ingress-nginx")


def test_a_node_port_of_its_own_gives_a_controller_the_entry_point() -> None:
    assert holders(node_port_service("traefik")) == {"traefik"}


def test_the_shared_service_belongs_to_whoever_it_selects_whatever_its_label() -> None:
    """The last controller that applied it left its label there."""
    assert holders(node_port_service(SERVICE)) == frozenset()
