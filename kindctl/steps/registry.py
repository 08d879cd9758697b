"""The step that runs the environment's image registry and tells the nodes of it."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.errors import KindctlError, MachineError
from kindctl.images.store import Images
from kindctl.models import (
    Absent,
    Change,
    Differs,
    NotReady,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.providers.registry import ADDRESS, LocalRegistry
from kindctl.tools.protocols import Net


@dataclass(kw_only=True)
class RegistryRuns:
    """Holds when the registry answers on the host's port, and the containerd of every node knows it."""

    registry: LocalRegistry
    images: Images
    net: Net
    reference: str  # the image of the registry, as it is asked for
    needs: frozenset[str]
    timeout: float = 60.0

    name = "registry"
    wake: Wake | None = None

    @property
    def title(self) -> str:
        return f"run the registry {self.registry.host}"

    def observe(self) -> State:
        try:
            image = self.images.resolve(self.reference)
            if image is None or not self.registry.nodes():
                return Absent("no image" if image is None else "no cluster")
            if found := self.registry.difference(image):
                return Differs(found) if self.registry.container() else Absent(found)
            if nodes := self.registry.unconfigured_nodes():
                return Differs(f"not known to {', '.join(node.name for node in nodes)}")
        except MachineError as error:
            return Absent(error.what)
        url = f"http://{ADDRESS}:{self.registry.port}/v2/"
        return Ready() if self.net.reachable(url) else NotReady(f"{url} does not answer yet")

    def apply(self, progress: Progress) -> Change:
        image = self.images.resolve(self.reference)
        if image is None:
            raise KindctlError(
                f"image {self.reference} has vanished from the engine", code="image-unavailable"
            )
        done = []
        if self.registry.difference(image):
            progress.say(f"running {image}")
            self.registry.run(image)
            done.append(f"ran the registry {self.registry.host}")
        for node in self.registry.unconfigured_nodes():
            self.registry.configure(node)
            done.append(f"told {node.name} of {self.registry.host}")
        return Change(tuple(done))
