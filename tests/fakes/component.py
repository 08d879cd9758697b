"""A component, a provider and a listener, as small as steps need them."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kindctl.manifests.pods import Resolve
from kindctl.models import Change, Endpoint, Object, Progress, Ready, Route, State
from kindctl.tools.protocols import Cluster


@dataclass
class FakeComponent:
    """Gives copies of its manifests, with the images resolved."""

    name: str = "shop"
    namespace: str = "shop"
    manifests: list[Object] = field(default_factory=list)
    late: list[Object] = field(default_factory=list)
    left_to_others: Collection[str] = ()

    @property
    def has_late_objects(self) -> bool:
        return bool(self.late)

    def images(self) -> Sequence[str]:
        return ()

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = copy.deepcopy(self.manifests)
        for obj in objects:
            template = (obj.get("spec") or {}).get("template") or {}
            for container in (template.get("spec") or {}).get("containers") or ():
                container["image"] = resolve(container["image"])
        return objects

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return copy.deepcopy(self.late)

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()


@dataclass
class FakeProvider:
    """Has the cluster that a test gives it."""

    there: Cluster | None
    name: str = "kind"
    kubeconfig: Path = Path("/nowhere/kubeconfig")
    context: str = "kind-shop"
    preexisting: bool = False
    title: str = "create the cluster (kind)"
    destination: str = "into the nodes"
    registry: None = None

    def images(self) -> Sequence[str]:
        return ()

    def observe(self) -> State:
        return Ready()

    def create(self, progress: Progress) -> Change:
        return Change()

    def cluster(self) -> Cluster | None:
        return self.there

    def holds(self, image: str) -> bool:
        return True

    def deliver(self, image: str, progress: Progress) -> None:
        return None

    def foreign_cluster(self) -> None:
        return None

    def in_pods(self, reference: str, image: str) -> str:
        return image

    def surplus(self) -> Sequence[str]:
        return ()

    def prune(self) -> Change:
        return Change()

    def destroy(self) -> Change:
        return Change()


class Heard:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.reached: list[str] = []

    def reach(self, milestone: str) -> None:
        self.reached.append(milestone)

    def say(self, text: str) -> None:
        self.said.append(text)
