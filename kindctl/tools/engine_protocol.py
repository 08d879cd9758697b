"""The container engine as kindctl sees it: the Protocol, and the data of its requests and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kindctl.models import PortMapping, Say


@dataclass(frozen=True)
class EngineInfo:
    """What the container engine reports about itself. Memory in bytes."""

    version: str
    product: str  # docker or podman
    host: str  # unix:///var/run/docker.sock, from DOCKER_HOST or the context
    architecture: str  # amd64, arm64: Go's names
    cgroup_version: int
    cpus: int
    memory: int
    root_dir: str
    rootless: bool


@dataclass(frozen=True)
class ImageInfo:
    """An image in the engine. `size` in bytes."""

    id: str  # sha256:...
    tags: tuple[str, ...]
    digests: tuple[str, ...]  # name@sha256:... in the registries that it came from
    labels: Mapping[str, str]
    size: int
    architecture: str


@dataclass(frozen=True)
class ContainerInfo:
    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    state: str  # created, running, paused, exited, ...
    started_at: datetime | None
    ports: Mapping[str, tuple[tuple[str, int], ...]]  # "80/tcp" -> ((host address, host port), ...)
    addresses: Mapping[str, str]  # network -> IPv4 address
    volumes: tuple[str, ...]  # names of mounted volumes


@dataclass(frozen=True)
class Build:
    """One `docker buildx build`. The result is loaded into the engine under `tag`."""

    context: str
    tag: str
    dockerfile: str | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)  # named build contexts
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One `docker run --detach`. Volumes are created with the same labels; a running container is started
    again after a restart of the engine."""

    name: str
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[PortMapping] = ()
    network: str = "bridge"
    volumes: Mapping[str, str] = field(default_factory=dict)  # name -> path in the container


@dataclass(frozen=True)
class Network:
    """A network of the engine, and how the engine assigns addresses in it."""

    subnets: tuple[str, ...] = ()  # CIDR
    ranges: tuple[str, ...] = ()  # CIDR; empty: from the bottom of its subnets
    reserved: tuple[
        str, ...
    ] = ()  # addresses of its gateways, and those that somebody has set aside


class Engine(Protocol):
    """The container engine. DOCKER_HOST and docker contexts are honoured.

    Methods raise MachineError (code engine-missing, engine-down, engine-denied) where the engine cannot be
    used, and ToolError for what it refuses.
    """

    def info(self) -> EngineInfo: ...

    def builder_version(self) -> str:
        """The version of the client's build plug-in: "0.13.1". Asks no engine. Raises MachineError (code
        engine-missing, buildx-missing) where there is none."""
        ...

    def image(self, reference: str) -> ImageInfo | None: ...

    def images(self, labels: Mapping[str, str] | None = None) -> list[ImageInfo]:
        """The images that have all these labels. An empty value stands for any value."""
        ...

    def pull(self, reference: str, say: Say) -> ImageInfo: ...

    def build(self, build: Build, say: Say) -> ImageInfo:
        """Run the build. `say` gets BuildKit's plain progress, line by line; a failure's `output` has the
        last lines of it."""
        ...

    def push(self, reference: str, say: Say) -> str:
        """Push the image to the registry that its name says; the digest (sha256:...) that it has there."""
        ...

    def in_registry(self, reference: str) -> bool:
        """Whether the registry in the name has the image. Raises ToolError where it does not answer."""
        ...

    def import_image(self, archive: Path, tag: str, labels: Mapping[str, str]) -> ImageInfo:
        """Make an image with one layer of a root file system (tar)."""
        ...

    def read_files(self, reference: str, folder: str) -> Mapping[str, str]:
        """The files in a folder of an image: name -> text. Nothing in the image is run."""
        ...

    def tag(self, reference: str, tag: str) -> None: ...

    def remove_image(self, reference: str) -> None:
        """Remove the image if it exists."""
        ...

    def containers(
        self, *, labels: Mapping[str, str] | None = None, name: str | None = None
    ) -> list[ContainerInfo]:
        """Running and stopped containers. `name` is the exact name."""
        ...

    def run(self, container: Run) -> ContainerInfo: ...

    def exec(self, container: str, command: Sequence[str], *, stdin: bytes | None = None) -> str:
        """Run a command in a container; its standard output. `stdin` is for small texts."""
        ...

    def load_into(self, container: str, references: Sequence[str]) -> None:
        """Load images of the engine into a kind node's containerd, namespace k8s.io.

        A single-platform archive is streamed to `ctr images import` (kind#3795). Names in the node are full
        references (docker.io/library/NAME:TAG).
        """
        ...

    def start(self, container: str) -> None: ...

    def stop(self, container: str) -> None: ...

    def remove(self, container: str) -> None:
        """Remove the container if it exists, even while it runs, with its anonymous volumes."""
        ...

    def logs(self, container: str, *, tail: int = 50) -> str: ...

    def volume(self, name: str) -> Mapping[str, str] | None:
        """The labels of a volume. None when there is no volume of this name."""
        ...

    def unused_volumes(self) -> Mapping[str, Mapping[str, str]]:
        """The volumes that no container mounts: name -> labels."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove the volume if it exists."""
        ...

    def networks(self) -> dict[str, Network]:
        """Name -> network."""
        ...
