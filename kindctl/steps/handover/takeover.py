"""How one ingress controller takes the way in over from another, by what the way in is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kindctl.components.base import Controller
from kindctl.ingress import handover
from kindctl.ingress.handover import Handover
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    Absent,
    Differs,
    Forward,
    ObjectRef,
    Progress,
)
from kindctl.steps.forward import FROM_FILE, Forwarded
from kindctl.steps.objects import ObjectsApplied
from kindctl.tools.protocols import Cluster


class Takeover(Protocol):
    """Of a controller, by whatever else has the way in."""

    def others(self, cluster: Cluster) -> frozenset[str]:
        """Component names of the other controllers that have it. Raises ApiError."""
        ...

    def is_soft(self, cluster: Cluster) -> bool:
        """Whether the old one may run until the new one has it; else it has to go first. Raises
        ApiError."""
        ...

    def take(self, progress: Progress) -> None:
        """Raises KindctlError."""
        ...


@dataclass
class OfNodePorts:
    """Ports of the node: they are in the controller's own objects once no other has them."""

    controller: Controller
    handover: Handover
    applied: ObjectsApplied  # the controller's own step, to be gone through again

    def others(self, cluster: Cluster) -> frozenset[str]:
        return self.handover.others(cluster, self.controller.name)

    def is_soft(self, cluster: Cluster) -> bool:
        return handover.is_turned_over(self.controller.exposure, cluster)

    def take(self, progress: Progress) -> None:
        self.handover.over(self.controller.name)
        self.applied.observe()
        self.applied.apply(progress)


@dataclass
class OfForwards:
    """Ports of this machine that the file has forwarded: they lead to one Service, then to another."""

    controller: Controller
    handover: Handover
    forwarded: Sequence[Forwarded]  # steps of the controller's own ports

    def others(self, cluster: Cluster) -> frozenset[str]:
        found = {self._owner(cluster, forward) for forward in self._elsewhere()}
        return self.handover.controllers & found - {self.controller.name}

    def is_soft(self, cluster: Cluster) -> bool:
        return True

    def take(self, progress: Progress) -> None:
        for step in self.forwarded:
            if isinstance(step.observe(), Absent | Differs):
                step.apply(progress)

    def _elsewhere(self) -> Iterator[Forward]:
        for step in self.forwarded:
            there = step.there()
            if there is not None and there.origin == FROM_FILE:
                yield there.forward

    def _owner(self, cluster: Cluster, forward: Forward) -> str:
        """The component of this environment that the Service belongs to; empty: none."""
        live = cluster.get(ObjectRef("v1", "Service", forward.service, forward.namespace)) or {}
        labels = (live.get("metadata") or {}).get("labels") or {}
        if labels.get(ENVIRONMENT_LABEL) != self.handover.environment:
            return ""
        return str(labels.get(COMPONENT_LABEL) or "")
