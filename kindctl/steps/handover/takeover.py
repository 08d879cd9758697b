"""How one ingress controller takes the entry point over from another: as ports of the node, or as
forwarded ports of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kindctl.components.base import Controller
from kindctl.forward.client import FROM_FILE
from kindctl.ingress import handover
from kindctl.ingress.handover import Handover
from kindctl.kube_objects import labels_of
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    Absent,
    Differs,
    Forward,
    ObjectRef,
    Progress,
)
from kindctl.steps.forward import Forwarded
from kindctl.steps.objects import ObjectsApplied
from kindctl.tools.protocols import Cluster


class Takeover(Protocol):
    """How a controller takes the entry point over from the controllers that have it."""

    def holders(self, cluster: Cluster) -> frozenset[str]:
        """Return the component names of the other controllers that have the entry point. Raises
        ApiError."""

    def can_overlap(self, cluster: Cluster) -> bool:
        """Whether the old controller can keep running until the new one has the entry point. If not, the
        old controller must be removed first. Raises ApiError."""

    def take_over(self, progress: Progress) -> None:
        """Give the entry point to the new controller. Raises KindctlError."""


@dataclass
class NodePortTakeover:
    """A takeover for ports of the node. The new controller's objects are applied again, and they get the
    ports once no other controller uses these ports."""

    controller: Controller
    handover: Handover
    applied: ObjectsApplied  # the step that applies the controller's objects

    def holders(self, cluster: Cluster) -> frozenset[str]:
        return self.handover.others(cluster, self.controller.name)

    def can_overlap(self, cluster: Cluster) -> bool:
        return handover.is_turned_over(self.controller.exposure, cluster)

    def take_over(self, progress: Progress) -> None:
        self.handover.over(self.controller.name)
        self.applied.observe()
        self.applied.apply(progress)


@dataclass
class ForwardTakeover:
    """A takeover for ports of this machine that kindctl.yaml forwards. The ports are then forwarded to the
    new controller's Service instead."""

    controller: Controller
    handover: Handover
    forwarded: Sequence[Forwarded]  # the steps that forward the new controller's ports

    def holders(self, cluster: Cluster) -> frozenset[str]:
        owners = {self._owner(cluster, forward) for forward in self._present_forwards()}
        return self.handover.controllers & owners - {self.controller.name}

    def can_overlap(self, cluster: Cluster) -> bool:
        return True

    def take_over(self, progress: Progress) -> None:
        for step in self.forwarded:
            if isinstance(step.observe(), Absent | Differs):
                step.apply(progress)

    def _present_forwards(self) -> Iterator[Forward]:
        for step in self.forwarded:
            state = step.present_forward()
            if state is not None and state.origin == FROM_FILE:
                yield state.forward

    def _owner(self, cluster: Cluster, forward: Forward) -> str:
        """Return the name of the component that the forwarded Service belongs to. Return an empty string if
        the Service does not belong to this environment or to any component."""
        live = cluster.get(ObjectRef("v1", "Service", forward.service, forward.namespace))
        labels = labels_of(live) if live else {}
        is_own = labels.get(ENVIRONMENT_LABEL) == self.handover.environment
        return labels.get(COMPONENT_LABEL, "") if is_own else ""
