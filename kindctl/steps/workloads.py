"""The step that waits until a component's workloads do their work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kindctl.components.base import Component
from kindctl.diagnose.evidence import Evidence
from kindctl.diagnose.snapshot import WORKLOADS, collect, snapshot
from kindctl.live.access import ask
from kindctl.live.applied import remove
from kindctl.live.desired import inventory
from kindctl.live.gateway_readiness import Standing, gateway_kinds
from kindctl.live.readiness import fault, is_waited_for, pods_of, users_of
from kindctl.live.stale_tokens import stale_pods
from kindctl.live.surplus import Surplus, ports_lacked
from kindctl.live.wake import ClusterWake
from kindctl.models import (
    UNCHANGED,
    Cause,
    Change,
    Differs,
    NotReady,
    Object,
    ObjectRef,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Cluster

WATCHED = (
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
)
EXPLAIN_EVERY = 1.0  # seconds: evidence costs the API more than a look does

Fault = tuple[Object, str]  # a workload, and what is seen of it


@dataclass
class WorkloadsReady:
    """Holds when all workloads and claims of the component are ready. `explain` finds the cause in the
    evidence when they are not."""

    name: str
    title: str
    needs: frozenset[str]
    component: Component
    provider: Provider
    environment: str
    explain: Callable[[Evidence], Cause | None]
    surplus: Surplus
    timeout: float = 300.0
    clock: Callable[[], float] = time.monotonic
    wake: Wake | None = None
    _refs: Sequence[ObjectRef] | None = field(default=None, repr=False)
    _stale: Sequence[Object] = field(default=(), repr=False)
    _in_the_way: Sequence[ObjectRef] = field(default=(), repr=False)
    _standing: Standing = field(default_factory=Standing, repr=False)
    _explained: tuple[float, Cause | None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.wake is None:
            self.wake = ClusterWake(self.provider, WATCHED)

    def observe(self) -> State:
        return ask(self.provider, self._look)

    def apply(self, progress: Progress) -> Change:
        """Removes what nobody asks for and that has a node's ports that pods need, and replaces pods that
        hold a token of a deleted ServiceAccount; all else is only waited for."""
        pods, self._stale = self._stale, ()
        leftovers, self._in_the_way = self._in_the_way, ()
        cluster = self.provider.cluster()
        if cluster is None:
            return UNCHANGED
        for pod in pods:
            cluster.delete(ObjectRef.of({"apiVersion": "v1", "kind": "Pod", **pod}))
        names = (pod["metadata"]["name"] for pod in pods)
        replaced = [f"replaced pod {name}, whose ServiceAccount is new" for name in names]
        return Change((*remove(cluster, leftovers), *replaced))

    def _look(self, cluster: Cluster) -> State:
        wanted = self._wanted(cluster)
        if not wanted:
            return Ready("no workloads")
        namespaces = list(dict.fromkeys(ref.namespace or "default" for ref in wanted))
        kinds = {ref.kind for ref in wanted}
        evidence = snapshot(
            cluster,
            namespaces,
            workloads=[kind for kind in (*WORKLOADS, *gateway_kinds(wanted)) if kind[1] in kinds],
        )
        there = {
            ObjectRef.of(obj): obj
            for obj in [*evidence.workloads, *evidence.pods, *evidence.claims]
        }
        if absent := [str(ref) for ref in wanted if ref not in there]:
            return NotReady(f"not there: {', '.join(absent[:3])}")
        faults = [
            (there[ref], seen)
            for ref in wanted
            if (seen := fault(there[ref], evidence.pods))
            and not _waits_for_consumer(cluster, there[ref], evidence.pods)
        ]
        if not faults:
            pods = {
                pod["metadata"]["name"]: pod
                for ref in wanted
                for pod in _pods_for(there[ref], evidence.pods)
            }
            self._stale = stale_pods(cluster, list(pods.values()))
            if self._stale:
                names = ", ".join(pod["metadata"]["name"] for pod in self._stale)
                return Differs(f"{names}: older than its ServiceAccount")
            return Ready(f"{len(wanted)} workload{'s' if len(wanted) > 1 else ''}")
        ports = ports_lacked([pod for obj, _ in faults for pod in _pods_for(obj, evidence.pods)])
        if ports and (leftovers := self.surplus.on_nodes(cluster, ports)):
            self._in_the_way = leftovers
            names = ", ".join(map(str, leftovers[:3]))
            return Differs(f"{names}: no longer in the configuration, and has the node's ports")
        seen = "; ".join(f"{obj['metadata']['name']} {text}" for obj, text in faults[:3])
        return NotReady(seen, self._cause(cluster, namespaces, faults))

    def _wanted(self, cluster: Cluster) -> Sequence[ObjectRef]:
        """Asked of the component once: its manifests do not change while `up` runs."""
        if self._refs is None:
            refs = inventory([self.component], cluster, self.environment, late=False)
            self._refs = [ref for ref in refs if is_waited_for(ref)]
        return self._refs

    def _cause(
        self, cluster: Cluster, namespaces: Sequence[str], faults: Sequence[Fault]
    ) -> Cause | None:
        now = self.clock()
        if refused := self._standing.cause(faults, now):
            return refused
        if self._explained is None or now - self._explained[0] >= EXPLAIN_EVERY:
            evidence = _concerning(faults, collect(cluster, namespaces))
            self._explained = (now, self.explain(evidence))
        return self._explained[1]


def _concerning(faults: Sequence[Fault], evidence: Evidence) -> Evidence:
    """Without the pods and Jobs of others in the same namespaces: their troubles keep nobody here."""
    ours = {obj["metadata"]["uid"] for obj, _ in faults}
    pods = {
        pod["metadata"]["uid"]: pod for obj, _ in faults for pod in _pods_for(obj, evidence.pods)
    }
    return replace(
        evidence,
        pods=list(pods.values()),
        workloads=[
            obj
            for obj in evidence.workloads
            if obj["kind"] != "Job" or obj["metadata"]["uid"] in ours
        ],
        logs={
            where: lines
            for where, lines in evidence.logs.items()
            if any(where.startswith(_place(pod)) for pod in pods.values())
        },
    )


def _pods_for(obj: Object, pods: Sequence[Object]) -> list[Object]:
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
    """A claim that no pod uses yet is bound only when one does, if its class says so."""
    if obj["kind"] != "PersistentVolumeClaim" or users_of(obj, pods):
        return False
    name = obj["spec"].get("storageClassName")
    found = cluster.get(ObjectRef("storage.k8s.io/v1", "StorageClass", name)) if name else None
    return (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
