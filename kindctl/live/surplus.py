"""What the configuration no longer asks for, and that is in the place of what it asks for.

Leftovers go with prune, after everything holds. But no two Services have the same node port, and no two
pods the same port of a node: there the new one never holds before the old one has gone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.errors import ApiError, KindctlError
from kindctl.kube_objects import environment_selector, is_going
from kindctl.live.applied import Identity, identity, is_applied
from kindctl.live.desired import everything
from kindctl.manifests.pods import containers
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    MANAGER,
    Object,
    ObjectRef,
)
from kindctl.tools.protocols import Cluster

NODE_PORT = re.compile(r"nodePort: Invalid value: (\d+): provided port is already allocated")
NO_FREE_PORTS = "free ports for the requested pod ports"
"""In the scheduler's words (its plug-in NodePorts)."""
WORKLOADS = (
    *(("apps/v1", kind) for kind in ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet")),
    ("v1", "Pod"),
)
WEBHOOKS = tuple(
    ("admissionregistration.k8s.io/v1", f"{kind}WebhookConfiguration")
    for kind in ("Validating", "Mutating")
)


def taken_node_port(error: ApiError) -> int:
    """The node port that another Service has; 0: the refusal is about something else."""
    found = NODE_PORT.search(error.why) if error.status == 422 else None
    return int(found.group(1)) if found else 0


@dataclass(frozen=True)
class Holder:
    """The Service that has a node port. `surplus`: nobody asks for it; `passes`: it is about to give the
    port up, for it is being deleted, or asked for without it."""

    ref: ObjectRef
    surplus: bool = False
    passes: bool = False


@dataclass(frozen=True)
class Surplus:
    """`components`: all that the configuration asks for."""

    environment: str
    components: Sequence[Component]

    def holder(self, cluster: Cluster, port: int) -> Holder | None:
        """None: nobody has it any more. Raises ApiError."""
        for service in cluster.list("v1", "Service"):
            if port in _node_ports(service):
                ref = ObjectRef.of(service)
                if is_going(service):
                    return Holder(ref, passes=True)
                wanted = self._wanted(cluster).get(identity(ref))
                if wanted is not None:
                    return Holder(ref, passes=_gives_up(wanted, port))
                return Holder(ref, surplus=self._is_ours(service))
        return None

    def on_nodes(self, cluster: Cluster, ports: Collection[int]) -> list[ObjectRef]:
        """Workloads with one of these ports of their nodes, and the webhooks of their components: without
        its pods a webhook would refuse what follows. Raises ApiError."""
        wanted = self._wanted(cluster)
        found = [
            obj
            for obj in self._leftovers(cluster, WORKLOADS, wanted)
            if not _host_ports(obj).isdisjoint(ports)
        ]
        components = {_component(obj) for obj in found}
        if found:
            hooks = self._leftovers(cluster, WEBHOOKS, wanted)
            found += [obj for obj in hooks if _component(obj) in components]
        return [ObjectRef.of(obj) for obj in found]

    def _leftovers(
        self, cluster: Cluster, kinds: Sequence[tuple[str, str]], wanted: Collection[Identity]
    ) -> Iterator[Object]:
        labels = environment_selector(self.environment)
        for kind in kinds:
            for obj in cluster.list(*kind, labels=labels):
                if is_applied(obj) and identity(ObjectRef.of(obj)) not in wanted:
                    yield obj

    def _wanted(self, cluster: Cluster) -> dict[Identity, Object]:
        objects = everything(self.components, cluster, self.environment)
        return {identity(ObjectRef.of(obj)): obj for obj in objects}

    def _is_ours(self, obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        ours = {MANAGED_LABEL: MANAGER, ENVIRONMENT_LABEL: self.environment}
        return ours.items() <= labels.items() and is_applied(obj)


def refused_node_port(ref: ObjectRef, port: int, holder: ObjectRef, context: str) -> KindctlError:
    scope = f"kubectl --context {context} -n {holder.namespace}"
    return KindctlError(
        f"{ref} cannot have node port {port}: {holder} has it",
        why="a node port belongs to one Service of the cluster",
        fix=f"choose another one, or take it from that one: {scope} edit service {holder.name}",
        code="node-port-taken",
    )


def ports_lacked(pods: Sequence[Object]) -> set[int]:
    """Ports of their nodes for which no node takes these pods."""
    return {
        port
        for pod in pods
        for condition in (pod.get("status") or {}).get("conditions") or ()
        if condition["type"] == "PodScheduled"
        and condition["status"] == "False"
        and NO_FREE_PORTS in (condition.get("message") or "")
        for port in _host_ports(pod)
    }


def _node_ports(service: Object) -> set[int]:
    ports = service["spec"].get("ports") or ()
    return {port["nodePort"] for port in ports if port.get("nodePort")}


def _gives_up(wanted: Object, port: int) -> bool:
    """Whether applying it takes the port from it: not if it may keep what the API has chosen."""
    spec = wanted["spec"]
    if spec.get("type", "ClusterIP") not in ("NodePort", "LoadBalancer"):
        return True
    ports = [entry.get("nodePort") for entry in spec.get("ports") or ()]
    return all(ports) and port not in ports


def _host_ports(obj: Object) -> set[int]:
    """Also those of pods in the network of their node: the API fills them in."""
    return {
        port["hostPort"]
        for _, container in containers(obj)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def _component(obj: Object) -> str:
    return str((obj["metadata"].get("labels") or {}).get(COMPONENT_LABEL, ""))
