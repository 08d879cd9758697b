"""What the ingress controllers that kindctl ships have in common.

Such a controller consists of one or more workloads. The workloads whose pods the controller's Service
selects serve the requests. Only these use ports of a node, if any, and run in several replicas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from kindctl.components import witness
from kindctl.components.base import Controller, ControllerSetup, CustomSettings, ShippedComponent
from kindctl.components.objects import leave_node
from kindctl.ingress import handover
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.replicas import replicate
from kindctl.manifests.pods import Resolve
from kindctl.models import Object, Route
from kindctl.tools.protocols import Cluster

READY_NODE = "ingress-ready"
"""Label of the node whose ports are mapped to the host."""


class BundledController(ShippedComponent, Controller):
    """An ingress controller that kindctl ships. A subclass must set the attributes without a default, and
    overrides the methods that differ."""

    home: ClassVar[EntryPoint]
    """Its own Service, in its usual namespace. The pods behind it name their ports http and https."""

    sets_headers: ClassVar[bool] = True
    """Whether every answer has the headers of ingress/proof.py. If not, the witness proves the answers."""

    grace: ClassVar[int] = 300
    """Seconds from the deletion of a replica until it is killed."""

    def __init__(self, setup: ControllerSetup) -> None:
        super().__init__(setup)
        self._shares_entry_point = handover.is_shared(setup.exposure)
        self.namespace = handover.NAMESPACE if self._shares_entry_point else self.home.namespace
        self.service = (self.namespace, self.home.service)
        self._scaling = setup.scaling

    @classmethod
    def entry_point(cls, custom: CustomSettings | None, *, node_ports: bool) -> EntryPoint:
        return handover.ENTRY_POINT if node_ports else cls.home

    @property
    def host_ports(self) -> Mapping[int, str]:
        if not self.exposure.on_node:
            return {}
        return {port.node_port: self.name for port in self.home.ports}

    def images(self) -> Sequence[str]:
        return (*super().images(), *(() if self.sets_headers else witness.IMAGES))

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        """Return the shipped objects, completed and changed as the environment needs them. Raises
        LookupError if no manifest in `files` defines the Service that `home` names."""
        waits = bool(self.handover.others(cluster, self.name))
        objects = super().objects(cluster, resolve)
        self.fill_in(objects, cluster)
        service = self._own_service(objects)
        selector = service["spec"]["selector"]
        for workload in [obj for obj in objects if handover.selects(selector, obj)]:
            if waits or not self.exposure.on_node:
                self.leave_node(workload)
            if self._scaling.is_asked_for:
                self.prepare_for_replicas(workload)
                objects += replicate(workload, self._scaling, grace=self.grace)
        objects.append(self._certificate.secret(cluster, self.namespace))
        if not self.sets_headers:
            (ingress_class, *_) = self.ingress_classes
            objects += witness.objects(cluster, resolve, self.environment, self.name, ingress_class)
        self.relocate(objects)
        if not self._shares_entry_point:
            self.exposure.shape(service)
        elif selected := handover.selector_in_charge(cluster) if waits else selector:
            # else a controller of the user's has the node ports until it hands over
            objects.append(handover.shared_service(selected, self.exposure))
        return objects

    def _own_service(self, objects: Sequence[Object]) -> Object:
        for obj in objects:
            if (obj["kind"], obj["metadata"]["name"]) == ("Service", self.home.service):
                return obj
        raise LookupError(
            f"{self.name}: no manifest in `files` has the Service {self.home.service}, "
            "which `home` names"
        )

    def fill_in(self, objects: list[Object], cluster: Cluster) -> None:
        """Complete the shipped objects with what depends on the environment and its cluster."""

    def leave_node(self, workload: Object) -> None:
        """Change a workload that requests reach through its Service. Such a workload needs no port of a
        node, and may run on any node."""
        leave_node(workload)
        workload["spec"]["template"]["spec"].get("nodeSelector", {}).pop(READY_NODE, None)

    def prepare_for_replicas(self, workload: Object) -> None:
        """Change a workload that runs in several replicas, so that a replica loses no request when it
        stops."""

    def relocate(self, objects: Sequence[Object]) -> None:
        """Move objects from the usual namespace into the one that this environment uses."""
        handover.relocate(objects, self.home.namespace, self.namespace)

    def with_proof(self, route: Route) -> Route:
        return route if self.sets_headers else replace(route, via_witness=True)
