"""The step that waits until a component has proven itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.errors import ApiError
from kindctl.models import UNCHANGED, Absent, Change, NotReady, Progress, Ready, State, Wake
from kindctl.tools.protocols import Cluster


@dataclass
class Proven:
    """Holds when the component does its work (a webhook admits and refuses). Follows the step that
    applies its late objects; there is nothing to apply here."""

    component: Component
    cluster: Callable[[], Cluster | None]
    needs: frozenset[str]
    timeout: float = 60.0

    wake: Wake | None = None

    @property
    def name(self) -> str:
        return f"proven:{self.component.name}"

    @property
    def title(self) -> str:
        return f"{self.component.name} does its work"

    def observe(self) -> State:
        cluster = self.cluster()
        if cluster is None:
            return Absent("no cluster")
        try:
            seen = self.component.prove(cluster)
        except ApiError as error:
            return NotReady(error.why or error.what)
        return NotReady(seen) if seen else Ready()

    def apply(self, progress: Progress) -> Change:
        return UNCHANGED
