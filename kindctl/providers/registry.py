"""The image registry of an environment: a container, and the files that point the nodes' containerd to it.

The container is on kind's network, so nodes reach it by its name. On the host, it listens on the loopback
address, for which `docker push localhost:PORT/NAME` uses plain HTTP. Its images are in a volume. In the
nodes, files in containerd's certs.d tell containerd where to pull images whose names begin with the
registry's address (https://kind.sigs.k8s.io/docs/user/local-registry/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kindctl.errors import KindctlError, NotOursError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, REGISTRY_LABEL, PortMapping
from kindctl.providers.nodes import try_exec
from kindctl.tools.engine_protocol import ContainerInfo, Engine, Run

NETWORK = "kind"
INNER_PORT = 5000
ADDRESS = "127.0.0.1"
CERTS = "/etc/containerd/certs.d"
CONTAINERD_CONFIG = "/etc/containerd/config.toml"


@dataclass(frozen=True)
class LocalRegistry:
    """The registry of an environment. `port` is its port on the host, or 0 if kindctl.yaml sets none."""

    engine: Engine
    environment: str
    port: int = 0
    nodes: Callable[[], Sequence[ContainerInfo]] = tuple  # the running ones

    @property
    def name(self) -> str:
        """The name of the container and of its volume."""
        return f"kindctl-{self.environment}-registry"

    @property
    def inner(self) -> str:
        """The registry's address on kind's network."""
        return f"{self.name}:{INNER_PORT}"

    @property
    def host(self) -> str:
        """The registry's address on the host. The names of the registry's images begin with this
        address."""
        return f"localhost:{self.port}"

    # --- the container ---------------------------------------------------------------------------

    def container(self) -> ContainerInfo | None:
        """Return the registry's container, or None if it does not exist.

        Raises NotOursError if a container with this name exists that kindctl did not create.
        """
        found = next(iter(self.engine.containers(name=self.name)), None)
        if found and found.labels.get(DOCKER_ENVIRONMENT_LABEL) != self.environment:
            raise NotOursError(
                f"a container {self.name} exists, but kindctl did not create it",
                fix=f"choose another name with --name, or run: docker rm {self.name}",
            )
        return found

    def difference(self, image: str) -> str:
        """Return how the container differs from a new one that would run `image`, or "" if both are
        equal."""
        found = self.container()
        if found is None:
            return "the registry does not exist"
        if found.state != "running":
            return f"{self.name} is {found.state}"
        if found.ports.get(f"{INNER_PORT}/tcp") != ((ADDRESS, self.port),):
            return f"{self.name} uses another port"
        if found.image != image:
            return f"{self.name} runs {found.image}, not {image}"
        return ""

    def run(self, image: str) -> None:
        """Start the registry's container, replacing an existing one. The images stay in the volume."""
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
        """Remove the container and its volume, if they exist and are kindctl's. Return what was done."""
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

    def unconfigured_nodes(self) -> list[ContainerInfo]:
        """Return the nodes whose files for containerd are missing or outdated."""
        wanted = self._files()
        return [
            node
            for node in self.nodes()
            if any(
                try_exec(self.engine, node, "cat", path) != text for path, text in wanted.items()
            )
            or self._stale(node)
        ]

    def configure(self, node: ContainerInfo) -> None:
        """Write the files that point a node's containerd to the registry.

        containerd reads these files at each pull, so nothing is restarted. Raises KindctlError (code
        registry-config) if the node's containerd does not read these files.
        """
        config = try_exec(self.engine, node, "cat", CONTAINERD_CONFIG)
        if config is not None and CERTS not in config:
            raise KindctlError(
                f"containerd in node {node.name} does not read {CERTS}, where registries are configured",
                fix="use a node image of kind v0.27 or later (cluster.image), or set config_path as shown "
                "on the page of this error",
                code="registry-config",
            )
        for path, text in self._files().items():
            self.engine.exec(node.id, ["mkdir", "-p", path.rpartition("/")[0]])
            self.engine.exec(node.id, ["tee", path], stdin=text.encode())
        self.remove_stale_files(node)

    def remove_stale_files(self, node: ContainerInfo) -> None:
        """Remove the files in a node for a registry or address that no longer exists."""
        for path in self._stale(node):
            self.engine.exec(node.id, ["rm", path])
            # this fails if the folder has other files, which is fine
            try_exec(self.engine, node, "rmdir", path.rpartition("/")[0])

    def _files(self) -> dict[str, str]:
        """Return the files that a node needs, as path -> text: one for each address of the registry."""
        text = (
            f'{self._marker}\n[host."http://{self.inner}"]\n  capabilities = ["pull", "resolve"]\n'
        )
        names = (self.host, self.inner) if self.port else ()
        return {f"{CERTS}/{name}/hosts.toml": text for name in names}

    @property
    def _marker(self) -> str:
        """The line that marks a file as kindctl's. The user may have written other files for this
        registry."""
        return f"# kindctl: the registry of environment {self.environment}"

    def _stale(self, node: ContainerInfo) -> list[str]:
        found = try_exec(self.engine, node, "grep", "-rlsxF", self._marker, CERTS) or ""
        paths = [path for path in found.splitlines() if path.endswith("/hosts.toml")]
        return [path for path in paths if path not in self._files()]
