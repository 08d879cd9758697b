"""The step that waits until a component's workloads do their work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kindctl.components.base import Component, Resolve
from kindctl.diagnose.base import Evidence
from kindctl.diagnose.evidence import WORKLOADS, collect, snapshot
from kindctl.errors import ApiError
from kindctl.models import (
    UNCHANGED,
    Absent,
    Cause,
    Change,
    NotReady,
    Object,
    ObjectRef,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.steps.desired import desired
from kindctl.steps.readiness import FAULTS, condition, fault, is_true, pods_of
from kindctl.steps.wake import ClusterWake
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
    resolve: Resolve
    explain: Callable[[Evidence], Cause | None]
    timeout: float = 300.0
    clock: Callable[[], float] = time.monotonic
    wake: Wake | None = None
    _refs: Sequence[ObjectRef] | None = field(default=None, repr=False)
    _explained: tuple[float, Cause | None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.wake is None:
            self.wake = ClusterWake(self.provider, WATCHED)

    def observe(self) -> State:
        cluster = self.provider.cluster()
        if cluster is None:
            return Absent("no cluster")
        if not cluster.alive():
            return NotReady("the API server does not answer")
        try:
            return self._look(cluster)
        except ApiError as error:
            if not error.passing:
                raise
            return NotReady(error.why or error.what)

    def apply(self, progress: Progress) -> Change:
        return UNCHANGED  # only waited for

    def _look(self, cluster: Cluster) -> State:
        wanted = self._wanted(cluster)
        if not wanted:
            return Ready("no workloads")
        namespaces = list(dict.fromkeys(ref.namespace or "default" for ref in wanted))
        kinds = {ref.kind for ref in wanted}
        evidence = snapshot(
            cluster, namespaces, workloads=[kind for kind in WORKLOADS if kind[1] in kinds]
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
            return Ready(f"{len(wanted)} workload{'s' if len(wanted) > 1 else ''}")
        seen = "; ".join(f"{obj['metadata']['name']} {text}" for obj, text in faults[:3])
        return NotReady(seen, self._cause(cluster, namespaces, evidence, faults))

    def _wanted(self, cluster: Cluster) -> Sequence[ObjectRef]:
        """Asked of the component once: its manifests do not change while `up` runs."""
        if self._refs is None:
            objects = desired(self.component, cluster, self.environment, self.resolve)
            self._refs = [ObjectRef.of(obj) for obj in objects if obj["kind"] in FAULTS]
        return self._refs

    def _cause(
        self,
        cluster: Cluster,
        namespaces: Sequence[str],
        evidence: Evidence,
        faults: Sequence[Fault],
    ) -> Cause | None:
        now = self.clock()
        if self._explained is None or now - self._explained[0] >= EXPLAIN_EVERY:
            concerned = replace(evidence, pods=_concerned(cluster, evidence, faults))
            full = collect(cluster, namespaces, known=concerned)
            self._explained = (now, _failed_job(faults, full) or self.explain(full))
        return self._explained[1]


def _concerned(cluster: Cluster, evidence: Evidence, faults: Sequence[Fault]) -> list[Object]:
    """The pods that these workloads wait for. Those that a Deployment is about to replace may fail as
    they like: what they say is about what has just been repaired."""
    found: dict[str, Object] = {}
    for obj, _ in faults:
        if obj["kind"] == "Pod":
            pods = [obj]
        elif obj["kind"] == "PersistentVolumeClaim":
            pods = _users(obj, evidence.pods)
        else:
            pods = pods_of(obj, evidence.pods)
        if obj["kind"] == "Deployment":
            current = _current_replica_set(cluster, obj)
            pods = [pod for pod in pods if current in _owners(pod)]
        found |= {pod["metadata"]["uid"]: pod for pod in pods}
    return list(found.values())


def _current_replica_set(cluster: Cluster, deployment: Object) -> str | None:
    """The uid of the one that has the Deployment's present revision."""
    revision = "deployment.kubernetes.io/revision"
    meta = deployment["metadata"]
    wanted = (meta.get("annotations") or {}).get(revision)
    return next(
        (
            replica_set["metadata"]["uid"]
            for replica_set in cluster.list("apps/v1", "ReplicaSet", namespace=meta["namespace"])
            if meta["uid"] in _owners(replica_set)
            and replica_set["metadata"].get("annotations", {}).get(revision) == wanted
        ),
        None,
    )


def _owners(obj: Object) -> list[str]:
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()]


def _users(claim: Object, pods: Sequence[Object]) -> list[Object]:
    name, namespace = claim["metadata"]["name"], claim["metadata"]["namespace"]
    return [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == namespace
        and any(
            (volume.get("persistentVolumeClaim") or {}).get("claimName") == name
            for volume in pod["spec"].get("volumes") or ()
        )
    ]


def _waits_for_consumer(cluster: Cluster, obj: Object, pods: Sequence[Object]) -> bool:
    """A claim that no pod uses yet is bound only when one does, if its class says so."""
    if obj["kind"] != "PersistentVolumeClaim" or _users(obj, pods):
        return False
    name = obj["spec"].get("storageClassName")
    found = cluster.get(ObjectRef("storage.k8s.io/v1", "StorageClass", name)) if name else None
    return (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def _failed_job(faults: Sequence[Fault], evidence: Evidence) -> Cause | None:
    """A Job that has failed stays so: only a new one can succeed, whenever this one failed."""
    for obj, seen in faults:
        if obj["kind"] == "Job" and is_true(obj, "Failed"):
            meta = obj["metadata"]
            where = f"{meta['namespace']}/{meta['name']}"
            return Cause(
                code="job-failed",
                what=f"Job {where} {seen}",
                fix=f"mend what its log says, then: kubectl -n {meta['namespace']} delete job "
                f"{meta['name']} && kindctl up",
                cites=_last_words(obj, evidence.pods, evidence.logs),
                permanent=True,
            )
    return None


def _last_words(
    job: Object, pods: Sequence[Object], logs: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    for pod in pods_of(job, pods):
        meta = pod["metadata"]
        for where, lines in logs.items():
            if where.startswith(f"{meta['namespace']}/{meta['name']}/"):
                return tuple(lines)
    failed = condition(job, "Failed") or {}
    return (failed["message"],) if failed.get("message") else ()
