"""Loads an image from the engine onto the nodes."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import UNCHANGED, Absent, Change, Progress, Ready, State
from kindctl.providers.base import Provider
from kindctl.references import parse
from kindctl.steps.image import ImageStep


@dataclass(kw_only=True)
class ImageInNodes(ImageStep):
    """A step that is ready when every node has the image for `reference`, or can pull that image. The step
    needs cluster:containerd and the step that provides the image in the engine."""

    provider: Provider
    timeout: float = 600.0

    @property
    def name(self) -> str:
        return f"deliver:{parse(self.reference).tagged}"

    @property
    def title(self) -> str:
        return f"load {self.images.name(self.reference)} {self.provider.destination}"

    def observe_image(self, image: str | None) -> State:
        held = image is not None and self.provider.holds(image)
        return Ready() if held else Absent("not on every node")

    def apply(self, progress: Progress) -> Change:
        image = self.present_image()
        if self.provider.holds(image):
            return UNCHANGED
        progress.say(f"importing {image}")
        self.provider.deliver(image, progress)
        return Change((f"delivered {image}",))
