"""Applies a component's objects, and restores objects that somebody deleted or changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby

from kindctl.components.base import Component
from kindctl.errors import ApiError, KindctlError
from kindctl.live.desired import desired, rank
from kindctl.live.drift import Drift, DriftFinder
from kindctl.live.drift_state import few, state_of
from kindctl.live.established import await_established
from kindctl.live.listing import in_parallel
from kindctl.live.port_holders import PortHolders, taken_node_port
from kindctl.live.refusals import explained, may_pass_later
from kindctl.manifests.pods import Resolve
from kindctl.models import Change, ObjectRef, Progress, State
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster

ROUTING_KINDS = {"Service", "Ingress", "HTTPRoute", "Gateway"}
"""Kinds that tell an ingress controller where to send requests."""


@dataclass(kw_only=True)
class ObjectsApplied(StepInCluster):
    """A step that is ready when every object of the component matches its manifest. Fields that the
    manifest does not set are left alone.

    With `late`, the step applies the component's late objects instead of the others. `adopt` lets it take
    over existing objects that kindctl did not create (see DriftFinder). `exclusively` returns a context in
    which the objects are compared again and applied.
    """

    name: str
    title: str
    component: Component
    environment: str
    resolve: Resolve
    port_holders: PortHolders
    late: bool = False
    adopt: bool = True
    exclusively: Callable[[], AbstractContextManager[None]] | None = None
    timeout: float = 180.0
    clock: Callable[[], float] = time.monotonic
    _observed: Sequence[Drift] = field(default=(), repr=False)  # for the apply that follows
    _refused: set[ObjectRef] = field(default_factory=set, repr=False)  # may be applied later
    _mended: float | None = field(default=None, repr=False)

    def observe_in(self, cluster: Cluster) -> State:
        self._observed = self._drifts(cluster)
        return state_of(self._observed, cluster)

    def apply(self, progress: Progress) -> Change:
        """Apply the objects that differ. If the API rejects an object only temporarily (for example,
        because a webhook is not up yet), the next apply tries that object again. Raises KindctlError
        (immutable-field, node-port-taken), NotOursError and ApiError."""
        if self.provider.cluster() is None:
            raise KindctlError("there is no cluster to apply objects to")
        return super().apply(progress)

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        observed, self._observed = self._observed, ()
        if self.exclusively is None:
            return self._apply_all(cluster, observed or self._drifts(cluster), progress)
        with self.exclusively():
            return self._apply_all(cluster, self._drifts(cluster), progress)

    def mended(self) -> float | None:
        """The time, by `clock`, at which this step last changed objects that a controller already used for
        routing. None if the step has not changed such objects."""
        return self._mended

    @property
    def _finder(self) -> DriftFinder:
        context = self.provider.context
        return DriftFinder(self.environment, context, self.adopt, self.port_holders)

    def _drifts(self, cluster: Cluster) -> list[Drift]:
        objects = desired(self.component, cluster, self.environment, self.resolve, late=self.late)
        return self._finder.find(cluster, objects, self._refused)

    def _apply_all(self, cluster: Cluster, drifts: Sequence[Drift], progress: Progress) -> Change:
        for drift in drifts:
            if drift.error is not None:  # before any object is applied
                raise drift.error
        mends = self._mends_routing(drifts)
        done: list[str] = []
        for _, same_rank in groupby(drifts, key=lambda drift: rank(drift.obj["kind"])):
            group = list(same_rank)
            for changes in in_parallel(lambda drift: self._apply_one(cluster, drift), group):
                done += changes
            await_established(cluster, _new_definitions(group), progress)
        if mends:
            self._mended = self.clock()
        return Change(tuple(done))

    def _apply_one(self, cluster: Cluster, drift: Drift) -> Sequence[str]:
        if not drift.needs_apply:
            return ()
        done: list[str] = []
        if drift.leftover is not None and cluster.delete(drift.leftover):
            done.append(f"removed {drift.leftover}, which used the same node port")
        try:
            if drift.must_run_again:
                cluster.delete(drift.ref)
                return [f"removed {drift.ref}, to run it again: {few(drift.fields)} has changed"]
            if drift.patch:
                cluster.merge_patch(drift.ref, drift.patch)
            cluster.apply(drift.obj)
        except ApiError as error:
            port = taken_node_port(error)
            if port and drift.leftover is None:
                return self._apply_with_taken_port(cluster, drift, port)
            if may_pass_later(error) or port:  # the Service that had the port is not gone yet
                self._refused.add(drift.ref)
                return done
            raise explained(drift.ref, error, self.provider.context) from error
        self._refused.discard(drift.ref)
        created = f"created {drift.ref}"
        return [*done, created if drift.is_absent else f"repaired {drift.ref}: {few(drift.fields)}"]

    def _apply_with_taken_port(self, cluster: Cluster, drift: Drift, port: int) -> Sequence[str]:
        drift = self._finder.with_taken_port(cluster, drift, port)
        if drift.error is not None:
            raise drift.error
        if drift.leftover is not None:
            return self._apply_one(cluster, drift)
        self._refused.add(drift.ref)
        return ()

    def _mends_routing(self, drifts: Sequence[Drift]) -> bool:
        """Whether applying these objects changes the routing of a controller. If all objects are new, no
        controller can have used an earlier version of them for routing."""
        is_repair = any(not drift.is_absent and drift.ref.kind != "Namespace" for drift in drifts)
        return is_repair and any(
            drift.needs_apply
            for drift in drifts
            if drift.ref.kind in ROUTING_KINDS and drift.ref not in self._refused
        )


def _new_definitions(drifts: Sequence[Drift]) -> list[ObjectRef]:
    return [
        drift.ref
        for drift in drifts
        if drift.ref.kind == "CustomResourceDefinition" and drift.is_absent
    ]
