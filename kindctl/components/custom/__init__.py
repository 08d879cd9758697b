"""A controller that the user brings: any that serves Ingress objects of a class.

It sets none of the headers of ingress/proof.py, so its answers are proven by the witness
(components/witness).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from kindctl.components import witness
from kindctl.components.base import Controller, ControllerSetup, CustomSettings
from kindctl.components.custom.brought import Brought
from kindctl.components.objects import copies, images_in, is_late, leave_node, shape_if_exposed
from kindctl.ingress.entry_point import EntryPoint
from kindctl.kube_objects import is_tcp
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve, on_node, use_images_of_nodes
from kindctl.models import Object, ObjectRef, Route
from kindctl.problems import refuse
from kindctl.tools.protocols import Cluster
from kindctl.trust.serving import SECRET


class Custom(Controller):
    """See components.base.Controller."""

    name = "custom"

    def __init__(self, setup: ControllerSetup) -> None:
        """Raises ConfigError with every problem of ingress.custom and its manifests."""
        brought = _brought(setup.custom)
        refuse(brought.problems(setup.exposure, fresh_cluster=setup.fresh_cluster))
        super().__init__(setup)
        settings = brought.settings
        self.namespace = settings.config.namespace
        self.ingress_classes: Collection[str] = (settings.config.ingressClass,)
        self.service = (self.namespace, settings.config.service)
        self.parsed: Sequence[Manifest] = settings.manifests
        self._made_by_operator = brought.made_by_operator
        self._serves_our_certificate = any(
            SECRET in json.dumps(m.obj, default=str) for m in self.parsed
        )

    @classmethod
    def entry_point(cls, custom: CustomSettings | None, *, node_ports: bool) -> EntryPoint:
        """Return the Service that `ingress.custom` names. Controllers of users never share node ports."""
        return _brought(custom).entry_point

    @property
    def host_ports(self) -> Mapping[int, str]:
        declared = (
            number
            for manifest in self.parsed
            for _, number, port in on_node(manifest.obj)
            if is_tcp(port)
        )
        exposed = (port.node_port for port in self.exposure.ports if self.exposure.on_node)
        return dict.fromkeys([*declared, *exposed], self.name)

    def images(self) -> Sequence[str]:
        return tuple(dict.fromkeys([*images_in(self.parsed), *witness.IMAGES]))

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        waits = bool(self.handover.others(cluster, self.name))
        objects = copies(self.parsed, late=False)
        for obj in objects:
            use_images_of_nodes(obj, resolve)
            if waits and self.exposure.on_node:
                leave_node(obj)
            elif not waits:
                shape_if_exposed(obj, self.exposure)
        if self._serves_our_certificate:
            objects.append(self._certificate.secret(cluster, self.namespace))
        (ingress_class,) = self.ingress_classes
        objects += witness.objects(cluster, resolve, self.environment, self.name, ingress_class)
        return objects

    @property
    def has_late_objects(self) -> bool:
        return self._made_by_operator is not None or any(map(is_late, self.parsed))

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return copies(self.parsed, late=True)

    def prove(self, cluster: Cluster) -> str:
        """Return why the workload that an operator creates is not ready; empty if the workload is ready.
        Whether the controller answers is proven by the URLs, not here."""
        ref = self._made_by_operator
        if ref is None:
            return ""
        found = cluster.get(ref)
        return (
            _unready(found) if found else f"{ref} does not exist yet: its operator has not made it"
        )

    def with_proof(self, route: Route) -> Route:
        """Expect kindctl's certificate only if the manifests name the Secret that contains it."""
        certified = route.certified and self._serves_our_certificate
        return replace(route, via_witness=True, certified=certified)


def _brought(custom: CustomSettings | None) -> Brought:
    if custom is None:
        raise ValueError(
            "`controller: custom` without ingress.custom: config/checks.py should have rejected this"
        )
    return Brought(custom)


def _unready(workload: Object) -> str:
    """Return why a Deployment, StatefulSet or DaemonSet is not ready; empty if it is."""
    status = workload.get("status") or {}
    wanted = status.get("desiredNumberScheduled", (workload.get("spec") or {}).get("replicas", 1))
    ready = status.get("numberReady", status.get("readyReplicas")) or 0
    if wanted and ready >= wanted:
        return ""
    return f"{ObjectRef.of(workload)}: {ready} of {wanted} pods are ready"
