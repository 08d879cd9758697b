"""The step that applies a component's objects, and brings back what somebody deleted or altered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from kindctl.components.base import Component
from kindctl.errors import ApiError, KindctlError, NotOursError
from kindctl.kube_objects import environment_selector, is_going
from kindctl.live.access import ask
from kindctl.live.desired import desired, is_ours_or_absent, rank
from kindctl.live.differences import differences
from kindctl.live.established import await_established
from kindctl.live.readiness import users_of
from kindctl.live.replacing import list_of_ours, would_take
from kindctl.live.surplus import Surplus, refused_node_port, taken_node_port
from kindctl.manifests.pods import Resolve
from kindctl.models import (
    ENVIRONMENT_LABEL,
    Absent,
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

THREADS = 8
WAYS = {"Service", "Ingress", "HTTPRoute", "Gateway"}
"""What a controller routes by."""
IMMUTABLE = re.compile(
    r"immutable|may not be changed|may not change|cannot change|are forbidden", re.IGNORECASE
)


@dataclass(frozen=True)
class Look:
    """One object as it should be, and what keeps the cluster's from being so. All empty: it is so."""

    obj: Object
    absent: bool = False
    fields: tuple[str, ...] = ()  # paths that differ
    replace: Object | None = None  # a merge patch without which applying it is refused
    again: bool = (
        False  # a Job that is other than the one that ran: it goes, and is made by the next apply
    )
    waits_for: str = (
        ""  # applying it must wait: a webhook that does not answer, a deletion under way
    )
    going: bool = False  # it is being deleted
    frees: ObjectRef | None = None  # nobody asks for it, and it has the node port
    error: KindctlError | None = None  # it cannot be applied at all

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef.of(self.obj)


@dataclass
class ObjectsApplied:
    """Holds when every object of the component is as its manifests say.

    Fields that the manifests do not name belong to others. `late`: the component's late objects.
    `adopt`: take over objects that exist and that kindctl did not make. Without it they are refused, and
    namespaces that exist are used as they are. `exclusively`: held while what is to be applied is looked at
    anew and applied.
    """

    name: str
    title: str
    needs: frozenset[str]
    component: Component
    provider: Provider
    environment: str
    resolve: Resolve
    surplus: Surplus
    late: bool = False
    adopt: bool = True
    exclusively: Callable[[], AbstractContextManager[None]] | None = None
    timeout: float = 180.0
    wake: Wake | None = None
    clock: Callable[[], float] = time.monotonic
    _looks: Sequence[Look] | None = field(default=None, repr=False)  # observe's, for the next apply
    _put_off: dict[ObjectRef, str] = field(default_factory=dict, repr=False)
    _mended: float | None = field(default=None, repr=False)

    def observe(self) -> State:
        return ask(self.provider, self._seen)

    def _seen(self, cluster: Cluster) -> State:
        self._looks = self._look(cluster)
        return _state(self._looks, cluster)

    def apply(self, progress: Progress) -> Change:
        """Raises KindctlError (immutable-field), NotOursError, ApiError. What the API puts off (a
        webhook that is not up) is left to another apply."""
        cluster = self.provider.cluster()
        if cluster is None:
            raise KindctlError("there is no cluster to apply objects to")
        looks, self._looks = self._looks, None
        if self.exclusively is None:
            return self._make(cluster, looks or self._look(cluster), progress)
        with self.exclusively():
            return self._make(cluster, self._look(cluster), progress)

    def _make(self, cluster: Cluster, looks: Sequence[Look], progress: Progress) -> Change:
        for look in looks:
            if look.error is not None:  # before anything is half done
                raise look.error
        mends = self._mends(looks)
        done: list[str] = []
        with ThreadPoolExecutor(THREADS) as pool:
            for _, group in groupby(looks, key=lambda look: rank(look.obj["kind"])):
                some = list(group)
                for changes in pool.map(lambda look: self._apply(cluster, look), some):
                    done += changes
                await_established(cluster, _new_kinds(some), progress)
        if mends:
            self._mended = self.clock()
        return Change(tuple(done))

    def mended(self) -> float | None:
        """When, by `clock`, it last changed what a controller routed by before; None: it did not."""
        return self._mended

    # --- looking ---------------------------------------------------------------------------------

    def _look(self, cluster: Cluster) -> list[Look]:
        objects = desired(self.component, cluster, self.environment, self.resolve, late=self.late)
        scaled = {_target(obj): obj for obj in objects if obj["kind"] == "HorizontalPodAutoscaler"}
        with ThreadPoolExecutor(THREADS) as pool:
            listed = self._listed(cluster, objects, pool)

            def look(obj: Object) -> Look:
                ref = ObjectRef.of(obj)
                # the lists have what carries our labels; somebody may have taken them off
                return self._look_at(cluster, obj, listed.get(ref) or cluster.get(ref), scaled)

            return list(pool.map(look, objects))

    def _listed(
        self, cluster: Cluster, objects: Sequence[Object], pool: ThreadPoolExecutor
    ) -> dict[ObjectRef, Object]:
        """One request a kind instead of one an object."""
        kinds = {(obj["apiVersion"], obj["kind"]) for obj in objects}
        labels = environment_selector(self.environment)
        lists = pool.map(lambda kind: cluster.list(*kind, labels=labels), kinds)
        return {ObjectRef.of(obj): obj for found in lists for obj in found}

    def _look_at(
        self, cluster: Cluster, obj: Object, live: Object | None, scaled: dict[Any, Object]
    ) -> Look:
        ref = ObjectRef.of(obj)
        if live is None:
            return (
                self._look_again(cluster, obj) if ref in self._put_off else Look(obj, absent=True)
            )
        if ref.kind == "Namespace" and not self.adopt and not self._is_ours(live):
            return Look(obj)  # used as it is
        if is_going(live):
            return Look(obj, going=True, waits_for=_why_going(live))
        if not self._may_take(live):
            return Look(obj, error=_not_ours(ref, live))
        if autoscaler := scaled.get((ref.kind, ref.namespace, ref.name)):
            obj = _with_replicas(obj, live, autoscaler)
        try:
            wanted = cluster.apply(obj, dry_run=True)
        except ApiError as error:
            return self._refused(cluster, obj, live, error)
        return Look(obj, fields=tuple(differences(live, wanted)))

    def _refused(self, cluster: Cluster, obj: Object, live: Object, error: ApiError) -> Look:
        if error.passing:
            return Look(obj, waits_for=_short(error))
        if port := taken_node_port(error):
            return self._behind(cluster, Look(obj), port)
        ref = ObjectRef.of(obj)
        path, patch = list_of_ours(obj, error)
        if patch and is_ours_or_absent(live) and would_take(cluster, ref, patch):
            return Look(obj, fields=(path,), replace=patch)
        if ref.kind == "Job" and _is_immutable(error) and is_ours_or_absent(live):
            return Look(obj, fields=(_refused_field(error),), again=True)
        return Look(obj, error=self._explained(ref, error))

    def _look_again(self, cluster: Cluster, obj: Object) -> Look:
        """At an absent object that the API would not take before."""
        try:
            cluster.apply(obj, dry_run=True)
        except ApiError as error:
            if _puts_off(error):
                return Look(obj, waits_for=_short(error))
            if port := taken_node_port(error):
                return self._behind(cluster, Look(obj, absent=True), port)
        return Look(obj, absent=True)

    def _behind(self, cluster: Cluster, look: Look, port: int) -> Look:
        """At a Service whose node port another one has."""
        holder = self.surplus.holder(cluster, port)
        if holder and holder.surplus:
            fields = () if look.absent else (f"node port {port}",)
            return replace(look, fields=fields, frees=holder.ref)
        if holder and not holder.passes:
            error = refused_node_port(look.ref, port, holder.ref, self.provider.context)
            return replace(look, absent=False, error=error)
        having = holder.ref if holder else "another one"
        return replace(look, absent=False, waits_for=f"{having} has node port {port}")

    def _may_take(self, live: Object) -> bool:
        return live["kind"] == "Namespace" or self.adopt or self._is_ours(live)

    def _is_ours(self, live: Object) -> bool:
        owner = (live["metadata"].get("labels") or {}).get(ENVIRONMENT_LABEL, self.environment)
        return owner == self.environment and is_ours_or_absent(live)

    # --- applying --------------------------------------------------------------------------------

    def _apply(self, cluster: Cluster, look: Look) -> Sequence[str]:
        if not look.absent and not look.fields:
            return ()
        freed = look.frees is not None and cluster.delete(look.frees)
        done = [f"removed {look.frees}, which had its node port"] if freed else []
        try:
            if look.again:
                cluster.delete(look.ref)
                return [f"removed {look.ref}, to run it again: {_few(look.fields)} has changed"]
            if look.replace:
                cluster.merge_patch(look.ref, look.replace)
            cluster.apply(look.obj)
        except ApiError as error:
            port = taken_node_port(error)
            if port and look.frees is None:
                return self._apply_behind(cluster, look, port)
            if _puts_off(error) or port:  # what had the port has not gone yet
                self._put_off[look.ref] = _short(error)
                return done
            raise self._explained(look.ref, error) from error
        self._put_off.pop(look.ref, None)
        if look.absent:
            return [*done, f"created {look.ref}"]
        return [*done, f"repaired {look.ref}: {_few(look.fields)}"]

    def _apply_behind(self, cluster: Cluster, look: Look, port: int) -> Sequence[str]:
        behind = self._behind(cluster, look, port)
        if behind.error is not None:
            raise behind.error
        if behind.frees is not None:
            return self._apply(cluster, behind)
        self._put_off[look.ref] = behind.waits_for
        return ()

    def _mends(self, looks: Sequence[Look]) -> bool:
        """Not where all is new: no controller can know anything older of it."""
        there = any(not look.absent and look.ref.kind != "Namespace" for look in looks)
        return there and any(
            look.ref.kind in WAYS and (look.absent or look.fields)
            for look in looks
            if look.ref not in self._put_off
        )

    def _explained(self, ref: ObjectRef, error: ApiError) -> KindctlError:
        """A change that Kubernetes never makes to an existing object is for its owner to decide."""
        if not _is_immutable(error):
            return error
        scope = f" -n {ref.namespace}" if ref.namespace else ""
        kubectl = f"kubectl --context {self.provider.context}{scope} delete {ref.kind.lower()}"
        data = " (its data goes with it)" if ref.kind == "PersistentVolumeClaim" else ""
        return KindctlError(
            f"{ref}: {_refused_field(error)} cannot be changed once it exists",
            why=_short(error),
            fix=f"undo the change, or make it anew: {kubectl} {ref.name} && kindctl up{data}",
            code="immutable-field",
        )


# --- states --------------------------------------------------------------------------------------


def _state(looks: Sequence[Look], cluster: Cluster) -> State:
    """What is being deleted comes first: nothing can be applied in its place before it is gone."""
    if going := [look for look in looks if look.going]:
        causes = [cause for look in going if (cause := _held_by_pods(look, cluster))]
        seen = "; ".join(f"{look.ref} is being deleted{look.waits_for}" for look in going[:3])
        return NotReady(seen, causes[0] if causes else None)
    if absent := [str(look.ref) for look in looks if look.absent]:
        return Absent(f"{len(absent)} of {len(looks)} objects: {_few(absent)}")
    wrong = [f"{look.ref}: {_few(look.fields)}" for look in looks if look.fields]
    wrong += [str(look.error) for look in looks if look.error]
    if wrong:
        return Differs(_few(wrong, "; "))
    if waiting := [f"{look.ref}: {look.waits_for}" for look in looks if look.waits_for]:
        return NotReady(_few(waiting, "; "))
    return Ready(f"{len(looks)} objects")


def _why_going(live: Object) -> str:
    conditions = (live.get("status") or {}).get("conditions") or ()
    remaining = [
        condition["message"]
        for condition in conditions
        if condition["type"].endswith("Remaining") and condition["status"] == "True"
    ]
    finalizers = live["metadata"].get("finalizers")
    held = [f"held by {', '.join(finalizers)}"] if finalizers and not remaining else []
    return "".join(f" ({reason})" for reason in (remaining or held)[:1])


def _held_by_pods(look: Look, cluster: Cluster) -> Cause | None:
    """A claim that is being deleted stays as long as a pod uses it: for ever, if nobody acts."""
    if look.ref.kind != "PersistentVolumeClaim":
        return None
    pods = [
        pod["metadata"]["name"]
        for pod in users_of(look.obj, cluster.list("v1", "Pod", namespace=look.ref.namespace))
        if not is_going(pod)
    ]
    if not pods:
        return None
    return Cause(
        code="being-deleted",
        what=f"{look.ref} was deleted and is still used by {', '.join(pods)}",
        fix="save its data if it is worth it, then end its use: "
        f"kubectl -n {look.ref.namespace} delete pod {' '.join(pods)}, and kindctl up",
        permanent=True,
    )


def _not_ours(ref: ObjectRef, live: Object) -> NotOursError:
    owner = (live["metadata"].get("labels") or {}).get(ENVIRONMENT_LABEL)
    return NotOursError(
        f"{ref} exists and "
        + (f"belongs to environment {owner!r}" if owner else "was not made by kindctl"),
        fix="delete or rename it, or rename yours",
    )


def _is_immutable(error: ApiError) -> bool:
    return error.status == 422 and bool(IMMUTABLE.search(error.why))


def _refused_field(error: ApiError) -> str:
    where = re.search(r"is invalid: ([\w.\[\]]+):", error.why)
    return where.group(1) if where else "a field"


def _puts_off(error: ApiError) -> bool:
    """Whether the same apply may be taken once others have done their part: a webhook comes up, a
    namespace gets its service account, an operator defines its kinds."""
    return (
        error.passing
        or (error.status == 403 and "error looking up service account" in error.why)
        or (error.status == 404 and "the cluster has no" in error.what)
    )


def _short(error: ApiError) -> str:
    line = (error.why or error.what).strip().splitlines()[0]
    return line if len(line) <= 300 else line[:300] + "…"


def _new_kinds(looks: Sequence[Look]) -> list[ObjectRef]:
    return [
        look.ref for look in looks if look.ref.kind == "CustomResourceDefinition" and look.absent
    ]


def _few(words: Iterable[str], separator: str = ", ") -> str:
    several = list(words)
    more = f"{separator}and {len(several) - 3} more" if len(several) > 3 else ""
    return separator.join(several[:3]) + more


# --- what others may change ----------------------------------------------------------------------


def _target(autoscaler: Object) -> tuple[str, str | None, str]:
    target = autoscaler["spec"]["scaleTargetRef"]
    return target["kind"], autoscaler["metadata"].get("namespace"), target["name"]


def _with_replicas(obj: Object, live: Object, autoscaler: Object) -> Object:
    """The number of replicas is the autoscaler's to choose, within its limits."""
    now = live["spec"].get("replicas", 1)
    limits = autoscaler["spec"]
    if "replicas" not in obj["spec"] or not (
        limits.get("minReplicas", 1) <= now <= limits["maxReplicas"]
    ):
        return obj
    return {**obj, "spec": {**obj["spec"], "replicas": now}}
