"""The interface of the container engine, and the data that its methods take and return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kindctl.models import PortMapping, Say


@dataclass(frozen=True)
class EngineInfo:
    """What the container engine reports about itself. `memory` is in bytes."""

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
    """An image in the engine. `size` is in bytes."""

    id: str  # sha256:...
    tags: tuple[str, ...]
    digests: tuple[
        str, ...
    ]  # NAME@sha256:... for each registry that it was pulled from or pushed to
    labels: Mapping[str, str]
    size: int
    architecture: str


@dataclass(frozen=True)
class ContainerInfo:
    """A container in the engine, running or not."""

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
    """The arguments of `docker buildx build`. The result is loaded into the engine as `tag`."""

    context: str
    tag: str
    dockerfile: str | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)  # named build contexts
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The arguments of `docker run --detach`.

    Volumes are created with the same labels as the container. The engine restarts the container when the
    engine itself restarts.
    """

    name: str
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[PortMapping] = ()
    network: str = "bridge"
    volumes: Mapping[str, str] = field(default_factory=dict)  # volume -> path in the container


@dataclass(frozen=True)
class Network:
    """A network of the engine, and the addresses that the engine may assign in this network."""

    subnets: tuple[str, ...] = ()  # CIDR
    ranges: tuple[
        str, ...
    ] = ()  # CIDR; if empty, addresses are assigned from the start of the subnets
    reserved: tuple[str, ...] = ()  # addresses of gateways, and those that the user has reserved


class Engine(Protocol):
    """The container engine that the docker client uses: DOCKER_HOST and contexts are respected.

    Methods raise MachineError (code engine-missing, engine-down, engine-denied) if the engine cannot be
    used at all, and ToolError if it refuses a request.
    """

    def info(self) -> EngineInfo: ...

    def builder_version(self) -> str:
        """Return the version of the client's build plug-in, buildx: "0.13.1". Works without an engine.

        Raises MachineError (code engine-missing, buildx-missing) if it is not installed.
        """

    def image(self, reference: str) -> ImageInfo | None:
        """Return the image with this name, or None if the engine does not have it."""

    def images(self, labels: Mapping[str, str] | None = None) -> list[ImageInfo]:
        """Return the images that have all of these labels. An empty value matches any value."""

    def pull(self, reference: str, say: Say) -> ImageInfo:
        """Pull an image from its registry. Raises ToolError with a code such as pull-denied."""

    def build(self, build: Build, say: Say) -> ImageInfo:
        """Build an image. `say` gets each line of BuildKit's plain progress.

        Raises ToolError. The `output` of the error contains the last of these lines.
        """

    def push(self, reference: str, say: Say) -> str:
        """Push an image to the registry in its name, and return its digest there (sha256:...)."""

    def in_registry(self, reference: str) -> bool:
        """Return whether the registry in the image's name contains the image.

        Raises ToolError if the registry does not answer.
        """

    def import_image(self, archive: Path, tag: str, labels: Mapping[str, str]) -> ImageInfo:
        """Create an image from a root file system (a tar archive)."""

    def read_files(self, reference: str, folder: str) -> Mapping[str, str]:
        """Return the files in a folder of an image, as name -> text. Nothing in the image is executed."""

    def tag(self, reference: str, tag: str) -> None: ...

    def remove_image(self, reference: str) -> None:
        """Remove an image if it exists."""

    def containers(
        self, *, labels: Mapping[str, str] | None = None, name: str | None = None
    ) -> list[ContainerInfo]:
        """Return the running and stopped containers with these labels. If `name` is given, it must match
        exactly."""

    def run(self, container: Run) -> ContainerInfo:
        """Create and start a container."""

    def exec(self, container: str, command: Sequence[str], *, stdin: bytes | None = None) -> str:
        """Run a command in a container and return its standard output. `stdin` is for small texts."""

    def load_into(self, container: str, references: Sequence[str]) -> None:
        """Load images of the engine into the containerd of a kind node, in its namespace k8s.io.

        A single-platform archive is streamed to `ctr images import` (kind#3795). In the node, the images
        have their full names (docker.io/library/NAME:TAG).
        """

    def start(self, container: str) -> None: ...

    def stop(self, container: str) -> None: ...

    def remove(self, container: str) -> None:
        """Remove a container, even a running one, and its anonymous volumes. Do nothing if it does not
        exist."""

    def logs(self, container: str, *, tail: int = 50) -> str:
        """Return the last lines of a container's log."""

    def volume(self, name: str) -> Mapping[str, str] | None:
        """Return the labels of a volume, or None if there is no volume of this name."""

    def unused_volumes(self) -> Mapping[str, Mapping[str, str]]:
        """Return the volumes that no container mounts, as name -> labels."""

    def remove_volume(self, name: str) -> None:
        """Remove a volume if it exists."""

    def networks(self) -> dict[str, Network]:
        """Return all networks, as name -> network."""
