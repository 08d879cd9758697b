"""Builds one of the user's own images."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Absent, Change, Progress, Ready, State
from kindctl.steps.image import ImageStep


@dataclass(kw_only=True)
class AppImageBuilt(ImageStep):
    """Holds when the engine has an image of what is in the build's context now. Its base images are
    provided as part of the build. `reference` is the name of an image that `images` knows how to build.
    """

    needs: frozenset[str] = frozenset({"preflight"})
    timeout: float = 3600.0

    @property
    def name(self) -> str:
        return f"build:{self.reference}"

    @property
    def title(self) -> str:
        return f"build {self.reference}"

    def observe_image(self, image: str | None) -> State:
        return Ready(image) if image else Absent("not built from the present files")

    def apply(self, progress: Progress) -> Change:
        return Change(self.images.provide(self.reference, progress).done)
