"""Provides an image in the engine. ImageStep is the base of all steps about one image."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from kindctl.errors import KindctlError, MachineError
from kindctl.images.store import Images
from kindctl.models import Absent, Change, Progress, Ready, State
from kindctl.references import parse
from kindctl.steps.base import BaseStep


@dataclass(kw_only=True)
class ImageStep(BaseStep):
    """The base class of steps that handle the engine's image for `reference`. While the engine does not
    answer, the state of such a step is Absent."""

    images: Images
    reference: str

    def observe(self) -> State:
        try:
            return self.observe_image(self.images.resolve(self.reference))
        except MachineError as error:
            return Absent(error.what)

    @abstractmethod
    def observe_image(self, image: str | None) -> State:
        """Return the step's state. `image` is the engine's own name for the image that the step's reference
        selects, or None if the engine has no such image. Raises MachineError."""

    def present_image(self) -> str:
        """Return the engine's own name for the image that the step's reference selects. Raises KindctlError
        (image-unavailable) if the image was deleted after an earlier step had provided it."""
        image = self.images.resolve(self.reference)
        if image is None:
            raise KindctlError(
                f"image {self.reference} was deleted from the engine during this run",
                fix="kindctl up",
                code="image-unavailable",
            )
        return image


@dataclass(kw_only=True)
class ImagePresent(ImageStep):
    """A step that is ready when the engine has an image for `reference`."""

    needs: frozenset[str] = frozenset({"preflight"})
    timeout: float = 3600.0

    @property
    def name(self) -> str:
        return f"image:{parse(self.reference).tagged}"

    @property
    def title(self) -> str:
        return f"image {self.images.name(self.reference)}"

    def observe_image(self, image: str | None) -> State:
        if image is None:
            return Absent("not in the engine")
        return Ready("" if image == self.reference else f"served by {image}")

    def apply(self, progress: Progress) -> Change:
        return Change(self.images.provide(self.reference, progress).done)
