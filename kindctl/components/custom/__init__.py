"""A controller that the user brings: any that serves Ingress objects of a class.

It sets none of the headers of ingress.proof. So a pod of ours is put behind it, by an Ingress of its
class, and what that answers proves the way in: the address and port lead to this controller, and it
serves the class in this cluster.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from kindctl.components.base import Setup
from kindctl.components.custom.brought import Brought
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    WELL_KNOWN,
    environment_id,
)
from kindctl.kube_objects import is_tcp
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve, container_ports, images, on_node, use_images_of_nodes
from kindctl.models import SYSTEM_NAMESPACE, Endpoint, Object, ObjectRef, Route
from kindctl.tools.protocols import Cluster
from kindctl.trust.serving import SECRET

IMAGE = "nginxinc/nginx-unprivileged:1.28"
LATE = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class Custom:
    """See components.base.Controller."""

    name = "custom"
    left_to_others: Collection[str] = ()

    def __init__(self, setup: Setup) -> None:
        """Raises ConfigError with every problem of the manifests and of ingress.custom."""
        brought = Brought.of(setup)
        self.environment = setup.environment
        self.namespace = brought.namespace
        self.ingress_classes: Collection[str] = (brought.ingress_class,)
        self.service = (brought.namespace, brought.service)
        self.exposure = brought.way_in()
        self.parsed: Sequence[Manifest] = brought.parsed
        self._made_by_operator = brought.made_by_operator
        self._handover = setup.handover
        self._certificate = setup.certificate
        self._serves_ours = any(SECRET in json.dumps(m.obj, default=str) for m in self.parsed)

    @property
    def host_ports(self) -> Mapping[int, str]:
        declared = (
            number
            for manifest in self.parsed
            for _, number, port in on_node(manifest.obj)
            if is_tcp(port)
        )
        way = (port.node_port for port in self.exposure.ports if self.exposure.on_node)
        return dict.fromkeys([*declared, *way], self.name)

    def images(self) -> Sequence[str]:
        found = (image for manifest in self.parsed for image in images(manifest.obj))
        return tuple(dict.fromkeys([*found, IMAGE]))

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        waits = bool(self._handover.others(cluster, self.name))
        objects = [copy.deepcopy(m.obj) for m in self.parsed if m.kind not in LATE]
        for obj in objects:
            use_images_of_nodes(obj, resolve)
            if waits and self.exposure.on_node:
                _leave_the_node(obj)
            elif not waits and _is(obj, "Service", *self.service):
                self.exposure.shape(obj)
        if self._serves_ours:
            objects.append(self._certificate.secret(cluster, self.namespace))
        return [*objects, *self._witness(cluster, resolve)]

    @property
    def has_late_objects(self) -> bool:
        return self._made_by_operator is not None or any(m.kind in LATE for m in self.parsed)

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return [copy.deepcopy(m.obj) for m in self.parsed if m.kind in LATE]

    def prove(self, cluster: Cluster) -> str:
        """Whether what an operator makes of the manifests is ready. The way in itself is proven with the
        URLs."""
        ref = self._made_by_operator
        if ref is None:
            return ""
        found = cluster.get(ref)
        return _unready(found) if found else f"{ref} is not there: nobody has made it yet"

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()

    def with_proof(self, route: Route) -> Route:
        """A certificate of ours is expected where its manifests name the Secret that has it."""
        return replace(route, via_witness=True, certified=route.certified and self._serves_ours)

    def resync(self, cluster: Cluster) -> None:
        """How, is not known."""

    def _witness(self, cluster: Cluster, resolve: Resolve) -> Iterator[Object]:
        """The pod that knows which environment this is, and the way to it through the controller."""
        (ingress_class,) = self.ingress_classes
        for obj in copy.deepcopy(_parsed()):
            obj["metadata"]["namespace"] = SYSTEM_NAMESPACE
            use_images_of_nodes(obj, resolve)
            if obj["kind"] == "ConfigMap":
                identity = environment_id(self.environment, cluster)
                obj["data"] = {"default.conf": _server(identity)}
            elif obj["kind"] == "Ingress":
                obj["spec"]["ingressClassName"] = ingress_class
            yield obj


def controller(setup: Setup) -> Custom:
    return Custom(setup)


@cache
def _parsed() -> list[Object]:
    import yaml

    text = files(__package__).joinpath("manifests", "witness.yaml").read_text()
    return list(yaml.safe_load_all(text))


def _server(identity: str) -> str:
    return f"""server {{
  listen 8080;
  default_type text/plain;
  location = {WELL_KNOWN} {{
    add_header {ENVIRONMENT_HEADER} "{identity}";
    add_header {CONTROLLER_HEADER} "{Custom.name}";
    return 200 "{identity}\\n";
  }}
  location = /ready {{ return 204; }}
}}
"""


def _is(obj: Object, kind: str, namespace: str, name: str) -> bool:
    meta = obj["metadata"]
    return (obj["kind"], meta.get("namespace"), meta["name"]) == (kind, namespace, name)


def _leave_the_node(obj: Object) -> None:
    """Take from its pods the ports of a node, which another controller has until it hands over."""
    pod: Any = obj
    for key in ("spec", "template", "spec"):
        pod = pod.get(key) if isinstance(pod, dict) else None
    if isinstance(pod, dict):
        pod.pop("hostNetwork", None)
    for port in container_ports(obj):
        port.pop("hostPort", None)


def _unready(workload: Object) -> str:
    """What is missing of a Deployment, StatefulSet or DaemonSet; empty: nothing."""
    status = workload.get("status") or {}
    wanted = status.get("desiredNumberScheduled", (workload.get("spec") or {}).get("replicas", 1))
    ready = status.get("numberReady", status.get("readyReplicas")) or 0
    if wanted and ready >= wanted:
        return ""
    return f"{ObjectRef.of(workload)}: {ready} of {wanted} pods are ready"
