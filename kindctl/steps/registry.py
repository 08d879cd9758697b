"""Runs the environment's image registry and configures the nodes to pull from it."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import Absent, Change, Differs, NotReady, Progress, Ready, State
from kindctl.providers.registry import ADDRESS, LocalRegistry
from kindctl.steps.image import ImageStep
from kindctl.tools.protocols import Net


@dataclass(kw_only=True)
class RegistryRuns(ImageStep):
    """A step that is ready when the registry answers on the host's port and containerd on every node is
    configured to use it. `reference` is the image of the registry itself."""

    registry: LocalRegistry
    net: Net

    name = "registry"

    @property
    def title(self) -> str:
        return f"run the registry {self.registry.host}"

    def observe_image(self, image: str | None) -> State:
        if image is None or not self.registry.nodes():
            return Absent("no image" if image is None else "no cluster")
        if difference := self.registry.difference(image):
            return Differs(difference) if self.registry.container() else Absent(difference)
        if nodes := self.registry.unconfigured_nodes():
            return Differs(f"not configured in {', '.join(node.name for node in nodes)}")
        url = f"http://{ADDRESS}:{self.registry.port}/v2/"
        return Ready() if self.net.reachable(url) else NotReady(f"{url} does not answer yet")

    def apply(self, progress: Progress) -> Change:
        image = self.present_image()
        done = []
        if self.registry.difference(image):
            progress.say(f"starting {image}")
            self.registry.run(image)
            done.append(f"started the registry {self.registry.host}")
        for node in self.registry.unconfigured_nodes():
            self.registry.configure(node)
            done.append(f"configured {node.name} to pull from {self.registry.host}")
        return Change(tuple(done))
