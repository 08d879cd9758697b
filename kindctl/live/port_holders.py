"""Finds the objects that use a port which a new object needs.

Leftovers are pruned after all other steps are ready. But no two Services can use the same node port, and no
two pods the same port of a node, so a new object that needs the port is not ready until the old one is
gone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.errors import ApiError, KindctlError
from kindctl.kube_objects import (
    WEBHOOK_CONFIGURATIONS,
    condition,
    entries,
    environment_selector,
    is_going,
    labels_of,
    own_labels,
)
from kindctl.live.applied import Identity, identity, may_remove
from kindctl.live.desired import everything
from kindctl.live.listing import list_kinds
from kindctl.manifests.pods import containers
from kindctl.models import COMPONENT_LABEL, Object, ObjectRef
from kindctl.tools.protocols import Cluster

NODE_PORT = re.compile(r"nodePort: Invalid value: (\d+): provided port is already allocated")
NO_FREE_PORTS = "free ports for the requested pod ports"
"""Part of the message of the scheduler's plug-in NodePorts when no node has the ports free."""
WORKLOADS = (
    *(("apps/v1", kind) for kind in ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet")),
    ("v1", "Pod"),
)
WEBHOOKS = [("admissionregistration.k8s.io/v1", kind) for kind in WEBHOOK_CONFIGURATIONS]


def taken_node_port(error: ApiError) -> int:
    """If the API rejected an object because another Service uses its node port, return that port; otherwise
    0."""
    found = NODE_PORT.search(error.why) if error.status == 422 else None
    return int(found.group(1)) if found else 0


@dataclass(frozen=True)
class NodePortHolder:
    """The Service that uses a node port."""

    ref: ObjectRef
    is_leftover: bool = False  # kindctl applied it and the configuration no longer asks for it
    # The Service is being deleted, or the configuration asks for it without the port.
    will_release: bool = False


@dataclass(frozen=True)
class PortHolders:
    """Finds which objects use a port. `components` are all components that the configuration asks for."""

    environment: str
    components: Sequence[Component]

    def of_node_port(self, cluster: Cluster, port: int) -> NodePortHolder | None:
        """Return the Service that uses this node port, or None if no Service uses it any more. Raises
        ApiError."""
        for service in cluster.list("v1", "Service"):
            if port in _node_ports(service):
                ref = ObjectRef.of(service)
                if is_going(service):
                    return NodePortHolder(ref, will_release=True)
                wanted = self._wanted(cluster).get(identity(ref))
                if wanted is not None:
                    return NodePortHolder(ref, will_release=_releases(wanted, port))
                return NodePortHolder(ref, is_leftover=self._is_own(service))
        return None

    def leftovers_on(self, cluster: Cluster, ports: Collection[int]) -> list[ObjectRef]:
        """Return leftover workloads that use one of these host ports, and the leftover webhooks of the same
        components. If such a webhook stayed without its pods, it would reject the objects that are applied
        next. Raises ApiError."""
        wanted = self._wanted(cluster)
        found = [
            obj
            for obj in self._leftovers(cluster, WORKLOADS, wanted)
            if not _host_ports(obj).isdisjoint(ports)
        ]
        components = {labels_of(obj).get(COMPONENT_LABEL) for obj in found}
        if found:
            webhooks = self._leftovers(cluster, WEBHOOKS, wanted)
            found += [obj for obj in webhooks if labels_of(obj).get(COMPONENT_LABEL) in components]
        return [ObjectRef.of(obj) for obj in found]

    def _leftovers(
        self, cluster: Cluster, kinds: Sequence[tuple[str, str]], wanted: Collection[Identity]
    ) -> list[Object]:
        return [
            obj
            for obj in list_kinds(cluster, kinds, labels=environment_selector(self.environment))
            if may_remove(obj) and identity(ObjectRef.of(obj)) not in wanted
        ]

    def _wanted(self, cluster: Cluster) -> Mapping[Identity, Object]:
        objects = everything(self.components, cluster, self.environment)
        return {identity(ObjectRef.of(obj)): obj for obj in objects}

    def _is_own(self, obj: Object) -> bool:
        """Whether kindctl applied the object for this environment."""
        return own_labels(self.environment).items() <= labels_of(obj).items() and may_remove(obj)


def node_port_taken(ref: ObjectRef, port: int, holder: ObjectRef, context: str) -> KindctlError:
    """Return the error for an object whose node port the Service `holder` uses and keeps."""
    scope = f"kubectl --context {context} -n {holder.namespace}"
    return KindctlError(
        f"{ref} cannot use node port {port}: {holder} uses it",
        why="only one Service in a cluster can use a node port",
        fix=f"choose another port, or change that Service: {scope} edit service {holder.name}",
        code="node-port-taken",
    )


def missing_host_ports(pods: Sequence[Object]) -> set[int]:
    """Return the host ports that pods ask for and that, according to the scheduler, are not free on any
    node."""
    return {
        port
        for pod in pods
        if (scheduled := condition(pod, "PodScheduled")).get("status") == "False"
        and NO_FREE_PORTS in (scheduled.get("message") or "")
        for port in _host_ports(pod)
    }


def _node_ports(service: Object) -> set[int]:
    ports = entries(service, "spec", "ports")
    return {port["nodePort"] for port in ports if port.get("nodePort")}


def _releases(wanted: Object, port: int) -> bool:
    """Whether the Service releases `port` when it is applied as `wanted`. If `wanted` leaves a node port to
    the API, the Service may keep `port`."""
    spec = wanted["spec"]
    if spec.get("type", "ClusterIP") not in ("NodePort", "LoadBalancer"):
        return True
    ports = [entry.get("nodePort") for entry in entries(wanted, "spec", "ports")]
    return all(ports) and port not in ports


def _host_ports(obj: Object) -> set[int]:
    """Return the host ports that a pod or workload asks for. If a pod uses hostNetwork, the API itself sets
    `hostPort`."""
    return {
        port["hostPort"]
        for _, container in containers(obj)
        for port in entries(container, "ports")
        if port.get("hostPort")
    }
