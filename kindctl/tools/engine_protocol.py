"""The container engine as kindctl sees it: what can be asked of it, and the data of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kindctl.models import PortMapping, Say


@dataclass(frozen=True)
class EngineInfo:
    """What the container engine says of itself. Memory in bytes."""

    version: str
    product: str  # docker or podman
    host: str  # unix:///var/run/docker.sock, from DOCKER_HOST or the context
    architecture: str  # amd64, arm64: Go's names
    cgroup_version: int
    cpus: int
    memory: int
    root_dir: str
    storage_driver: str
    rootless: bool
    containerd_store: bool = False  # the containerd image store (Docker 29's default)


@dataclass(frozen=True)
class ImageInfo:
    """An image in the engine. `size` in bytes."""

    id: str  # sha256:...
    tags: tuple[str, ...]
    digests: tuple[str, ...]  # name@sha256:... of the registries that it came from
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
    volumes: tuple[str, ...]  # names of volumes that are mounted


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
    """One `docker run --detach`. Volumes are made with the same labels; a running container is kept
    running over restarts of the engine."""

    name: str
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[PortMapping] = ()
    network: str = "bridge"
    volumes: Mapping[str, str] = field(default_factory=dict)  # name -> path in the container


@dataclass(frozen=True)
class AddressRanges:
    """How the engine gives out the addresses of a network."""

    ranges: tuple[str, ...] = ()  # CIDR; empty: from the bottom of its subnets
    reserved: tuple[str, ...] = ()  # its gateways, and what somebody has set aside


class Engine(Protocol):
    """The container engine, by python-on-whales. DOCKER_HOST and docker contexts are honoured."""

    def info(self) -> EngineInfo:
        """Raises MachineError (code engine-missing, engine-down, engine-denied) without an engine."""
        ...

    def image(self, reference: str) -> ImageInfo | None: ...

    def images(self, labels: Mapping[str, str] | None = None) -> list[ImageInfo]:
        """All images that have all these labels (empty value: any value)."""
        ...

    def pull(self, reference: str, say: Say) -> ImageInfo: ...

    def build(self, build: Build, say: Say) -> ImageInfo:
        """BuildKit's plain progress goes to `say`, line by line; on failure the error's output has its
        last lines."""
        ...

    def push(self, reference: str, say: Say) -> str:
        """To the registry that its name says; the digest (sha256:...) that it has there."""
        ...

    def in_registry(self, reference: str) -> bool:
        """Whether that registry has it. Raises ToolError where it does not say."""
        ...

    def import_image(self, archive: Path, tag: str, labels: Mapping[str, str]) -> ImageInfo:
        """A root file system (tar) as a one-layer image."""
        ...

    def read_files(self, reference: str, folder: str) -> Mapping[str, str]:
        """Name -> text of the files in a folder of an image; nothing of it is run."""
        ...

    def tag(self, reference: str, tag: str) -> None: ...

    def remove_image(self, reference: str) -> None:
        """No error when it does not exist."""
        ...

    def containers(
        self, *, labels: Mapping[str, str] | None = None, name: str | None = None
    ) -> list[ContainerInfo]:
        """Running and stopped ones. `name` is exact."""
        ...

    def run(self, container: Run) -> ContainerInfo: ...

    def exec(self, container: str, command: Sequence[str], *, stdin: bytes | None = None) -> str:
        """Standard output. `stdin` is for small texts."""
        ...

    def load_into(self, container: str, references: Sequence[str]) -> None:
        """Images of the engine into a kind node's containerd, namespace k8s.io: a single-platform
        archive streamed to `ctr images import` (kind#3795). Names in the node are full references
        (docker.io/library/NAME:TAG)."""
        ...

    def start(self, container: str) -> None: ...

    def stop(self, container: str) -> None: ...

    def remove(self, container: str) -> None:
        """Forced, with its anonymous volumes. No error when it does not exist."""
        ...

    def logs(self, container: str, *, tail: int = 50) -> str: ...

    def volume(self, name: str) -> Mapping[str, str] | None:
        """The labels of a volume. None: there is none of this name."""
        ...

    def remove_volume(self, name: str) -> None:
        """No error when it does not exist."""
        ...

    def networks(self) -> dict[str, tuple[str, ...]]:
        """Network name -> its subnets (CIDR)."""
        ...

    def address_ranges(self, network: str) -> AddressRanges:
        """Empty for a network that does not exist."""
        ...
