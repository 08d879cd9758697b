"""Waits until a component has shown that it works."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.components.base import Component
from kindctl.errors import ApiError
from kindctl.models import NotReady, Ready, State
from kindctl.steps.base import StepInCluster
from kindctl.tools.protocols import Cluster


@dataclass(kw_only=True)
class Proven(StepInCluster):
    """A step that is ready when the component does its work. For example, a webhook must admit and reject
    objects. The step applies nothing and runs after the component's late objects are applied."""

    component: Component

    @property
    def name(self) -> str:
        return f"proven:{self.component.name}"

    @property
    def title(self) -> str:
        return f"{self.component.name} works"

    def observe_in(self, cluster: Cluster) -> State:
        try:
            missing = self.component.prove(cluster)
        except ApiError as error:
            return NotReady(error.why or error.what)
        return NotReady(missing) if missing else Ready()
