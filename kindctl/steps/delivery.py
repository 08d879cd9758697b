"""The step that brings one image of the engine into the nodes."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.errors import KindctlError, MachineError
from kindctl.images.store import Images
from kindctl.models import UNCHANGED, Absent, Change, Progress, Ready, State, Wake
from kindctl.providers.base import Provider
from kindctl.references import parse


@dataclass(kw_only=True)
class ImageInNodes:
    """Holds when every node has what serves for `reference`. `needs`: the step that brings it into the
    engine, and cluster:containerd."""

    images: Images
    provider: Provider
    reference: str
    needs: frozenset[str]
    timeout: float = 600.0

    wake: Wake | None = None

    @property
    def name(self) -> str:
        return f"deliver:{parse(self.reference).tagged}"

    @property
    def title(self) -> str:
        return f"bring {self.images.name(self.reference)} {self.provider.destination}"

    def observe(self) -> State:
        try:
            served = self.images.resolve(self.reference)
            held = served is not None and self.provider.holds(served)
        except MachineError as error:
            return Absent(error.what)
        return Ready() if held else Absent("not in every node")

    def apply(self, progress: Progress) -> Change:
        served = self.images.resolve(self.reference)
        if served is None:
            raise KindctlError(
                f"image {self.reference} has vanished from the engine", code="image-unavailable"
            )
        if self.provider.holds(served):
            return UNCHANGED
        progress.say(f"importing {served}")
        self.provider.deliver(served, progress)
        return Change((f"delivered {served}",))
