"""Waits until a component's workloads are ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kindctl.components.base import Component
from kindctl.diagnose.evidence import Evidence
from kindctl.diagnose.snapshot import CLAIM, POD, WORKLOADS, collect
from kindctl.live.applied import remove
from kindctl.live.cluster_wake import ClusterWake
from kindctl.live.desired import inventory
from kindctl.live.gateway_readiness import LastingRefusals
from kindctl.live.port_holders import PortHolders, missing_host_ports
from kindctl.live.readiness import (
    find_live,
    is_waited_for,
    namespaces_of,
    pods_of,
    unready_reason,
    users_of,
)
from kindctl.live.stale_tokens import stale_pods
from kindctl.models import (
    Cause,
    Change,
    Differs,
    NotReady,
    Object,
    ObjectRef,
    Progress,
    Ready,
    State,
)
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster

WATCHED = (POD, CLAIM, *WORKLOADS)
EXPLAIN_EVERY = 1.0  # seconds: evidence costs the API more than observing does

Unready = tuple[Object, str]  # a workload or claim, and why it is not ready


@dataclass(kw_only=True)
class WorkloadsReady(StepInCluster):
    """A step that is ready when all workloads and claims of the component are ready. If they are not,
    `explain` finds the reason in the evidence.

    The step deletes leftovers if they use host ports that the pods need. It also deletes pods whose token
    belongs to a deleted ServiceAccount. For everything else it only waits.
    """

    name: str
    title: str
    component: Component
    environment: str
    explain: Callable[[Evidence], Cause | None]
    port_holders: PortHolders
    timeout: float = 300.0
    clock: Callable[[], float] = time.monotonic
    _refs: Sequence[ObjectRef] | None = field(default=None, repr=False)
    _stale: Sequence[Object] = field(default=(), repr=False)
    _port_leftovers: Sequence[ObjectRef] = field(default=(), repr=False)
    _refusals: LastingRefusals = field(default_factory=LastingRefusals, repr=False)
    _explained: tuple[float, Cause | None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.wake is None:
            self.wake = ClusterWake(self.provider, WATCHED)

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        pods, self._stale = self._stale, ()
        leftovers, self._port_leftovers = self._port_leftovers, ()
        for pod in pods:
            cluster.delete(ObjectRef.of({"apiVersion": "v1", "kind": "Pod", **pod}))
        names = (pod["metadata"]["name"] for pod in pods)
        replaced = [f"replaced pod {name}: its ServiceAccount was recreated" for name in names]
        return Change((*remove(cluster, leftovers), *replaced))

    def observe_in(self, cluster: Cluster) -> State:
        wanted = self._wanted(cluster)
        if not wanted:
            return Ready("no workloads")
        live, pods = find_live(cluster, wanted)
        if absent := [str(ref) for ref in wanted if ref not in live]:
            return NotReady(f"missing: {', '.join(absent[:3])}")
        unready = [
            (live[ref], reason)
            for ref in wanted
            if (reason := unready_reason(live[ref], pods))
            and not _waits_for_consumer(cluster, live[ref], pods)
        ]
        if not unready:
            self._stale = stale_pods(cluster, _pods_for([live[ref] for ref in wanted], pods))
            if self._stale:
                names = ", ".join(pod["metadata"]["name"] for pod in self._stale)
                return Differs(f"pods older than their ServiceAccount: {names}")
            return Ready(f"{len(wanted)} workload{'s' if len(wanted) > 1 else ''}")
        ports = missing_host_ports(_pods_for([obj for obj, _ in unready], pods))
        if ports and (leftovers := self.port_holders.leftovers_on(cluster, ports)):
            self._port_leftovers = leftovers
            names = ", ".join(map(str, leftovers[:3]))
            return Differs(
                f"no longer in the configuration but still uses the node's ports: {names}"
            )
        seen = "; ".join(f"{obj['metadata']['name']} {text}" for obj, text in unready[:3])
        return NotReady(seen, self._cause(cluster, wanted, unready))

    def _wanted(self, cluster: Cluster) -> Sequence[ObjectRef]:
        """Return the objects that the step waits for. They are found once: the manifests do not change
        while `up` runs."""
        if self._refs is None:
            refs = inventory([self.component], cluster, self.environment, late=False)
            self._refs = [ref for ref in refs if is_waited_for(ref)]
        return self._refs

    def _cause(
        self, cluster: Cluster, wanted: Sequence[ObjectRef], unready: Sequence[Unready]
    ) -> Cause | None:
        now = self.clock()
        if refused := self._refusals.cause(unready, now):
            return refused
        if self._explained is None or now - self._explained[0] >= EXPLAIN_EVERY:
            evidence = _evidence_about(unready, collect(cluster, namespaces_of(wanted)))
            self._explained = (now, self.explain(evidence))
        return self._explained[1]


def _evidence_about(unready: Sequence[Unready], evidence: Evidence) -> Evidence:
    """Return the part of the evidence that is about these objects. The step does not wait for other pods
    and Jobs in the namespaces."""
    own = {obj["metadata"]["uid"] for obj, _ in unready}
    pods = _pods_for([obj for obj, _ in unready], evidence.pods)
    return replace(
        evidence,
        pods=pods,
        workloads=[
            obj
            for obj in evidence.workloads
            if obj["kind"] != "Job" or obj["metadata"]["uid"] in own
        ],
        logs={
            where: lines
            for where, lines in evidence.logs.items()
            if any(where.startswith(_place(pod)) for pod in pods)
        },
    )


def _pods_for(objects: Sequence[Object], pods: Sequence[Object]) -> list[Object]:
    """Return the pods of these workloads and the pods that use these claims, each once."""
    found = {pod["metadata"]["uid"]: pod for obj in objects for pod in _pods_for_one(obj, pods)}
    return list(found.values())


def _pods_for_one(obj: Object, pods: Sequence[Object]) -> list[Object]:
    match obj["kind"]:
        case "Pod":
            return [obj]
        case "PersistentVolumeClaim":
            return users_of(obj, pods)
        case _:
            return pods_of(obj, pods)


def _place(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/"


def _waits_for_consumer(cluster: Cluster, obj: Object, pods: Sequence[Object]) -> bool:
    """Whether the object is a PersistentVolumeClaim that waits for a first pod: no pod uses the claim yet,
    and its StorageClass sets WaitForFirstConsumer."""
    if obj["kind"] != "PersistentVolumeClaim" or users_of(obj, pods):
        return False
    name = obj["spec"].get("storageClassName")
    found = cluster.get(ObjectRef("storage.k8s.io/v1", "StorageClass", name)) if name else None
    return (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
