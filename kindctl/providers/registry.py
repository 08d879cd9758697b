"""The image registry of an environment: a container beside the nodes, and what their containerd is told
of it.

It is on kind's network, so that nodes reach it by its name, and bound to the host's loopback, so that
`docker push localhost:PORT/NAME` takes plain HTTP. Its images are in a volume of its own. Nodes look it up
by the names of images, in certs.d (https://kind.sigs.k8s.io/docs/user/local-registry/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kindctl.errors import KindctlError, NotOursError, ToolError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, REGISTRY_LABEL, PortMapping
from kindctl.tools.engine_protocol import ContainerInfo, Engine, Run

NETWORK = "kind"
INNER_PORT = 5000
ADDRESS = "127.0.0.1"
CERTS = "/etc/containerd/certs.d"
CONTAINERD_CONFIG = "/etc/containerd/config.toml"


@dataclass(frozen=True)
class LocalRegistry:
    """`port`: of the host; 0 where the file has no registry."""

    engine: Engine
    environment: str
    port: int = 0
    nodes: Callable[[], Sequence[ContainerInfo]] = tuple  # that run

    @property
    def name(self) -> str:
        """Of the container and of its volume."""
        return f"kindctl-{self.environment}-registry"

    @property
    def inner(self) -> str:
        """Its address on kind's network."""
        return f"{self.name}:{INNER_PORT}"

    @property
    def host(self) -> str:
        """What the names of its images begin with."""
        return f"localhost:{self.port}"

    # --- the container ---------------------------------------------------------------------------

    def container(self) -> ContainerInfo | None:
        """Raises NotOursError where another's has the name."""
        found = next(iter(self.engine.containers(name=self.name)), None)
        if found and found.labels.get(DOCKER_ENVIRONMENT_LABEL) != self.environment:
            raise NotOursError(
                f"a container {self.name} exists that kindctl did not make",
                fix=f"docker rm {self.name}, or choose another name with --name",
            )
        return found

    def fault(self, image: str) -> str:
        """Why there is no registry as the file wants it; empty: it runs. `image`: what serves for it."""
        found = self.container()
        if found is None:
            return "no registry"
        if found.state != "running":
            return f"{self.name} is {found.state}"
        if found.ports.get(f"{INNER_PORT}/tcp") != ((ADDRESS, self.port),):
            return "it is on another port"
        if found.image != image:
            return f"it is made from {found.image}, not {image}"
        return ""

    def run(self, image: str) -> None:
        """In the place of one that is otherwise; its images stay, in the volume."""
        if self.container() is not None:
            self.engine.remove(self.name)
        labels = {DOCKER_ENVIRONMENT_LABEL: self.environment, REGISTRY_LABEL: self.host}
        self.engine.run(
            Run(
                self.name,
                image,
                labels,
                ports=[PortMapping(self.port, INNER_PORT, ADDRESS)],
                network=NETWORK,
                volumes={self.name: "/var/lib/registry"},
            )
        )

    def remove(self) -> tuple[str, ...]:
        """The container with its volume, as far as they are there and ours."""
        done = []
        if self.container() is not None:
            self.engine.remove(self.name)
            done.append(f"removed the registry {self.name}")
        labels = self.engine.volume(self.name)
        if labels is not None and labels.get(DOCKER_ENVIRONMENT_LABEL) == self.environment:
            self.engine.remove_volume(self.name)
            done.append(f"removed the registry's volume {self.name}")
        return tuple(done)

    # --- the nodes -------------------------------------------------------------------------------

    def untold(self) -> list[ContainerInfo]:
        """Nodes whose containerd does not know the registry as it is."""
        wanted = self._files()
        return [
            node
            for node in self.nodes()
            if any(self._read(node, path) != text for path, text in wanted.items())
            or self._stale(node)
        ]

    def tell(self, node: ContainerInfo) -> None:
        """containerd reads these when it pulls: nothing is restarted. Raises KindctlError for a node that
        would not read them."""
        config = self._read(node, CONTAINERD_CONFIG)
        if config is not None and CERTS not in config:
            raise KindctlError(
                f"the containerd of {node.name} does not read {CERTS}, where registries are named",
                fix="use a node image of kind v0.27 or later (cluster.image), or set config_path: "
                "see the page of this code",
                code="registry-config",
            )
        for path, text in self._files().items():
            self.engine.exec(node.id, ["mkdir", "-p", path.rpartition("/")[0]])
            self.engine.exec(node.id, ["tee", path], stdin=text.encode())
        self.untell(node)

    def untell(self, node: ContainerInfo) -> None:
        """Take back what a node was told of a registry that is no longer there."""
        for path in self._stale(node):
            self.engine.exec(node.id, ["rm", path])
            with suppress(ToolError):  # somebody has put more there
                self.engine.exec(node.id, ["rmdir", path.rpartition("/")[0]])

    def _files(self) -> dict[str, str]:
        """Path in a node -> text. The second name is that which tools are told for containerd."""
        text = (
            f'{self._marker}\n[host."http://{self.inner}"]\n  capabilities = ["pull", "resolve"]\n'
        )
        names = (self.host, self.inner) if self.port else ()
        return {f"{CERTS}/{name}/hosts.toml": text for name in names}

    @property
    def _marker(self) -> str:
        """The line that makes a file ours: the user's own may name this registry too, as a mirror."""
        return f"# kindctl: the registry of environment {self.environment}"

    def _stale(self, node: ContainerInfo) -> list[str]:
        try:
            found = self.engine.exec(node.id, ["grep", "-rlsxF", self._marker, CERTS])
        except ToolError:  # nothing
            return []
        paths = [path for path in found.splitlines() if path.endswith("/hosts.toml")]
        return [path for path in paths if path not in self._files()]

    def _read(self, node: ContainerInfo, path: str) -> str | None:
        try:
            return self.engine.exec(node.id, ["cat", path])
        except ToolError:
            return None
