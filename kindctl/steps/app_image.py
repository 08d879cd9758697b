"""Builds one of the user's own images."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.errors import MachineError
from kindctl.images.store import Images
from kindctl.models import Absent, AppBuild, Change, Progress, Ready, State
from kindctl.steps.base import BaseStep


@dataclass(kw_only=True)
class AppImageBuilt(BaseStep):
    """Holds when the engine has an image of what is in the build's context now. Its base images are
    provided as part of the build. `images` must have been made with this build."""

    images: Images
    build: AppBuild
    needs: frozenset[str] = frozenset({"preflight"})
    timeout: float = 3600.0

    @property
    def name(self) -> str:
        return f"build:{self.build.image}"

    @property
    def title(self) -> str:
        return f"build {self.build.image}"

    def observe(self) -> State:
        try:
            served = self.images.apps.built(self.build)
        except MachineError as error:
            return Absent(error.what)
        return Ready(served) if served else Absent("not built from the present files")

    def apply(self, progress: Progress) -> Change:
        return Change(self.images.apps.provide(self.build, progress.say).done)
