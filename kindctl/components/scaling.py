"""Replicas of what a HorizontalPodAutoscaler scales are the autoscaler's, not the manifest's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindctl.models import Object


@dataclass(frozen=True)
class Bounds:
    lowest: int
    highest: int

    def within(self, replicas: int) -> int:
        return max(self.lowest, min(self.highest, replicas))


Scaled = Mapping[tuple[str, str, str], Bounds]
"""(kind, namespace, name) of a workload -> between how many replicas it is scaled."""


def scaled(objects: Sequence[Object]) -> Scaled:
    found = {}
    for obj in objects:
        if obj["kind"] != "HorizontalPodAutoscaler":
            continue
        spec = obj.get("spec") or {}
        target = spec.get("scaleTargetRef") or {}
        key = (str(target.get("kind")), obj["metadata"]["namespace"], str(target.get("name")))
        lowest = int(spec.get("minReplicas") or 1)
        found[key] = Bounds(lowest, max(lowest, int(spec.get("maxReplicas") or lowest)))
    return found


def settle_replicas(obj: Object, bounds: Bounds, existing: Object | None) -> None:
    """Apply the number that is there, and so change nothing: another would be a fight that lasts as
    long as both go on, and none at all would mean 1 from the second apply on, because server-side
    apply takes back a field that its only owner leaves out.

    What is outside of the autoscaler's bounds is put right (0, which turns it off), and a workload
    that is not there starts with what its manifest says, or the lower bound.
    """
    wanted = int(obj["spec"].get("replicas") or bounds.lowest)
    if existing is not None:
        wanted = int(existing["spec"].get("replicas", wanted))
    obj["spec"]["replicas"] = bounds.within(wanted)
