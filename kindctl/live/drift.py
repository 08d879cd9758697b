"""Finds how objects in the cluster differ from what they should be, and what prevents them from being
applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from kindctl.errors import ApiError, KindctlError
from kindctl.kube_objects import entries, environment_selector, is_going, is_managed, labels_of
from kindctl.live.differences import differences
from kindctl.live.listing import in_parallel, list_kinds
from kindctl.live.port_holders import PortHolders, node_port_taken, taken_node_port
from kindctl.live.refusals import (
    accepts_patch,
    explained,
    first_line,
    foreign_object,
    is_immutable,
    may_pass_later,
    refused_field,
    replacing_patch,
)
from kindctl.models import ENVIRONMENT_LABEL, Object, ObjectRef
from kindctl.tools.protocols import Cluster

Target = tuple[str, str | None, str]
"""Kind, namespace and name of the object that a HorizontalPodAutoscaler scales."""


@dataclass(frozen=True)
class Drift:
    """How an object in the cluster differs from `obj`, the object as it should be. If only `obj` is set,
    the two do not differ."""

    obj: Object
    is_absent: bool = False
    is_being_deleted: bool = False
    fields: tuple[str, ...] = ()  # paths that differ
    patch: Object | None = None  # a merge patch without which the API refuses to apply `obj`
    must_run_again: bool = False  # a changed Job: it is deleted, and created by the next apply
    waits_for: str = ""  # why `obj` cannot be applied yet: a webhook that is not up, a deletion
    leftover: ObjectRef | None = None  # the Service that has its node port and is to be deleted
    error: KindctlError | None = None  # why `obj` can never be applied

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef.of(self.obj)

    @property
    def needs_apply(self) -> bool:
        return self.is_absent or bool(self.fields)


@dataclass(frozen=True)
class DriftFinder:
    """Compares an environment's objects with the cluster. It changes nothing, because it applies objects
    only as dry runs.

    `adopt` permits taking over existing objects that kindctl did not create. Without `adopt`, such an
    object is an error, unless it is a namespace. Such a namespace is used as it is.
    """

    environment: str
    context: str  # of kubectl, for commands in errors
    adopt: bool
    port_holders: PortHolders

    def find(
        self, cluster: Cluster, objects: Sequence[Object], refused: Collection[ObjectRef]
    ) -> list[Drift]:
        """Return a Drift for each object. `refused` are the objects that an earlier apply could not create.
        Raises ApiError."""
        scaled = {
            _scale_target(obj): obj for obj in objects if obj["kind"] == "HorizontalPodAutoscaler"
        }
        # one request a kind instead of one an object
        kinds = {(obj["apiVersion"], obj["kind"]) for obj in objects}
        found = list_kinds(cluster, kinds, labels=environment_selector(self.environment))
        listed = {ObjectRef.of(obj): obj for obj in found}

        def compare(obj: Object) -> Drift:
            ref = ObjectRef.of(obj)
            # the lists have what carries our labels; somebody may have removed them
            live = listed.get(ref) or cluster.get(ref)
            if live is None:
                return self._absent(cluster, obj, was_refused=ref in refused)
            return self._compare(cluster, obj, live, scaled)

        return in_parallel(compare, objects)

    def with_taken_port(self, cluster: Cluster, drift: Drift, port: int) -> Drift:
        """Return the drift of a Service whose node port another Service uses.

        If the other Service is a leftover, the drift asks for its deletion. If the other Service is about
        to release the port, the drift asks the step to wait. If the other Service keeps the port, the drift
        contains an error.
        """
        holder = self.port_holders.of_node_port(cluster, port)
        if holder and holder.is_leftover:
            fields = () if drift.is_absent else (f"node port {port}",)
            return replace(drift, fields=fields, leftover=holder.ref)
        if holder and not holder.will_release:
            error = node_port_taken(drift.ref, port, holder.ref, self.context)
            return replace(drift, is_absent=False, error=error)
        owner = holder.ref if holder else "another Service"
        return replace(drift, is_absent=False, waits_for=f"{owner} has node port {port}")

    def _absent(self, cluster: Cluster, obj: Object, *, was_refused: bool) -> Drift:
        if was_refused:
            try:
                cluster.apply(obj, dry_run=True)
            except ApiError as error:
                if may_pass_later(error):
                    return Drift(obj, waits_for=first_line(error))
                if port := taken_node_port(error):
                    return self.with_taken_port(cluster, Drift(obj, is_absent=True), port)
        return Drift(obj, is_absent=True)

    def _compare(
        self, cluster: Cluster, obj: Object, live: Object, scaled: Mapping[Target, Object]
    ) -> Drift:
        is_namespace = obj["kind"] == "Namespace"
        if is_namespace and not self.adopt and not self._is_own(live):
            return Drift(obj)  # a foreign namespace is used as it is
        if is_going(live):
            return Drift(obj, is_being_deleted=True, waits_for=_deletion_reason(live))
        if not (is_namespace or self.adopt or self._is_own(live)):
            return Drift(obj, error=foreign_object(live))
        ref = ObjectRef.of(obj)
        if autoscaler := scaled.get((ref.kind, ref.namespace, ref.name)):
            obj = _with_live_replicas(obj, live, autoscaler)
        try:
            wanted = cluster.apply(obj, dry_run=True)
        except ApiError as error:
            return self._refused(cluster, obj, live, error)
        return Drift(obj, fields=tuple(differences(live, wanted)))

    def _refused(self, cluster: Cluster, obj: Object, live: Object, error: ApiError) -> Drift:
        if error.passing:
            return Drift(obj, waits_for=first_line(error))
        if port := taken_node_port(error):
            return self.with_taken_port(cluster, Drift(obj), port)
        ref = ObjectRef.of(obj)
        path, patch = replacing_patch(obj, error)
        if patch and is_managed(live) and accepts_patch(cluster, ref, patch):
            return Drift(obj, fields=(path,), patch=patch)
        if ref.kind == "Job" and is_immutable(error) and is_managed(live):
            return Drift(obj, fields=(refused_field(error),), must_run_again=True)
        return Drift(obj, error=explained(ref, error, self.context))

    def _is_own(self, live: Object) -> bool:
        owner = labels_of(live).get(ENVIRONMENT_LABEL, self.environment)
        return owner == self.environment and is_managed(live)


def _deletion_reason(live: Object) -> str:
    """Return the reason why an object that is being deleted still exists, in parentheses. Return an empty
    string if the object's status gives no reason."""
    remaining = [
        condition["message"]
        for condition in entries(live, "status", "conditions")
        if condition["type"].endswith("Remaining") and condition["status"] == "True"
    ]
    finalizers = live["metadata"].get("finalizers")
    held = [f"held by {', '.join(finalizers)}"] if finalizers and not remaining else []
    return "".join(f" ({reason})" for reason in (remaining or held)[:1])


def _scale_target(autoscaler: Object) -> Target:
    target = autoscaler["spec"]["scaleTargetRef"]
    return target["kind"], autoscaler["metadata"].get("namespace"), target["name"]


def _with_live_replicas(obj: Object, live: Object, autoscaler: Object) -> Object:
    """Return `obj` with the number of replicas that the object has in the cluster, if that number is within
    the autoscaler's limits."""
    now = live["spec"].get("replicas", 1)
    limits = autoscaler["spec"]
    if "replicas" not in obj["spec"] or not (
        limits.get("minReplicas", 1) <= now <= limits["maxReplicas"]
    ):
        return obj
    return {**obj, "spec": {**obj["spec"], "replicas": now}}
