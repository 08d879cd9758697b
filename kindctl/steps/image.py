"""The step that brings one image into the engine."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.errors import MachineError
from kindctl.images.store import Images
from kindctl.models import Absent, Change, Progress, Ready, State, Wake
from kindctl.references import parse


@dataclass(kw_only=True)
class ImagePresent:
    """Holds when the engine has something that serves for `reference`."""

    images: Images
    reference: str
    needs: frozenset[str] = frozenset({"preflight"})
    timeout: float = 3600.0

    wake: Wake | None = None

    @property
    def name(self) -> str:
        return f"image:{parse(self.reference).tagged}"

    @property
    def title(self) -> str:
        return f"image {self.images.name(self.reference)}"

    def observe(self) -> State:
        try:
            served = self.images.resolve(self.reference)
        except MachineError as error:
            return Absent(error.what)
        if served is None:
            return Absent("not in the engine")
        return Ready("" if served == self.reference else f"served by {served}")

    def apply(self, progress: Progress) -> Change:
        return Change(self.images.provide(self.reference, progress).done)
