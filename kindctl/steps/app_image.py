"""Builds one of the user's own images."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Absent, Ready, State
from kindctl.steps.image import ImagePresent


@dataclass(kw_only=True)
class AppImageBuilt(ImagePresent):
    """A step that is ready when the engine has an image that was built from the current files of the
    build's context.

    The build also provides its base images. `reference` is the image's name, and `images` must know how to
    build that image.
    """

    @property
    def name(self) -> str:
        return f"build:{self.reference}"

    @property
    def title(self) -> str:
        return f"build {self.reference}"

    def observe_image(self, image: str | None) -> State:
        return Ready(image) if image else Absent("not built from the current files")
