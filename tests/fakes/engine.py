"""A container engine in memory: images, builds, containers with files, networks, kind nodes' images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from kindctl.errors import MachineError, ToolError
from kindctl.models import Say
from kindctl.references import full_name
from kindctl.tools.engine_protocol import (
    Build,
    ContainerInfo,
    EngineInfo,
    ImageInfo,
    Network,
    Run,
)
from kindctl.tools.engine_words import build_error, pull_error, push_error
from kindctl.tools.process import failure
from tests.fakes.container import Failed, FakeContainer
from tests.fakes.dockerfile import read_dockerfile

INFO = EngineInfo(
    version="28.2.2",
    product="docker",
    host="unix:///var/run/docker.sock",
    architecture="amd64",
    cgroup_version=2,
    cpus=4,
    memory=16 << 30,
    root_dir="/var/lib/docker",
    rootless=False,
)


@dataclass
class FakeEngine:
    """See protocols.Engine for its public methods; the rest is for tests. Anything that takes a container
    takes its name or ID."""

    problem: MachineError | None = None  # what every call raises
    engine_info: EngineInfo = INFO
    registry: dict[str, ImageInfo] = field(default_factory=dict)  # what can be pulled, by full name
    build_failures: dict[str, str] = field(default_factory=dict)  # tag -> BuildKit's last lines
    ports_in_use: Callable[[str, int], bool] = lambda address, port: False  # besides containers'
    built: list[Build] = field(default_factory=list)  # builds that succeeded, in their order
    volumes: set[str] = field(default_factory=set)
    volume_labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    no_push: str = ""  # what the registry says to whoever pushes; empty: it takes all
    silent: bool = False  # whether the registry does not say what it has
    subnets: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"bridge": ("172.17.0.0/16",), "host": (), "none": ()}
    )
    reserved: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"bridge": ("172.17.0.1",)}
    )
    builder: str = "0.13.1"  # the version of buildx; empty: the client has none

    def __post_init__(self) -> None:
        self.files: dict[tuple[str, str], Mapping[str, str]] = {}  # (full name, folder)
        self._images: dict[str, ImageInfo] = {}  # by ID, without tags
        self._tags: dict[str, str] = {}  # full name -> ID
        self._containers: dict[str, FakeContainer] = {}  # by name

    # --- images ----------------------------------------------------------------------------------

    def info(self) -> EngineInfo:
        self._check()
        return self.engine_info

    def builder_version(self) -> str:
        if self.problem is not None and self.problem.code == "engine-missing":
            raise self.problem
        if not self.builder:
            command = ["docker", "buildx", "version"]
            raise build_error(failure(command, 1, ["docker: 'buildx' is not a docker command."]))
        return self.builder

    def image(self, reference: str) -> ImageInfo | None:
        self._check()
        id_ = reference if reference in self._images else self._tags.get(full_name(reference))
        return self._described(id_) if id_ else None

    def images(self, labels: Mapping[str, str] | None = None) -> list[ImageInfo]:
        self._check()
        return [
            self._described(id_) for id_, one in self._images.items() if has(one.labels, labels)
        ]

    def pull(self, reference: str, say: Say) -> ImageInfo:
        self._check()
        found = self.registry.get(full_name(reference))
        if found is None:
            words = f"manifest for {reference} not found: manifest unknown"
            raise pull_error(self._refusal(["pull", reference], words))
        say(f"{reference}: Pulling from registry")
        return self.add_image(reference, found)

    def build(self, build: Build, say: Say) -> ImageInfo:
        self._check()
        command = ["buildx", "build", "--tag", build.tag, build.context]
        file = Path(build.dockerfile) if build.dockerfile else Path(build.context, "Dockerfile")
        if not file.is_file():
            words = f"ERROR: failed to read dockerfile: open {file.name}: no such file or directory"
            raise build_error(failure(["docker", *command], 1, [words]))
        recipe = read_dockerfile(file.read_text(), build)
        labels: dict[str, str] = {}
        for base in recipe.bases:
            found = self.image(base) or self.registry.get(full_name(base))
            if found is None:
                words = f"ERROR: failed to resolve source metadata for {full_name(base)}: not found"
                raise build_error(failure(["docker", *command], 1, [words]))
            if base == recipe.final_base:
                labels |= found.labels
        say(f"#1 [internal] load build definition from {file.name}")
        if build.tag in self.build_failures:
            lines = self.build_failures[build.tag].splitlines()
            raise build_error(failure(["docker", *command], 1, lines))
        key = (file.read_text(), _content(build), str(sorted(build.args.items())), build.target)
        labels = {**labels, **recipe.labels, **build.labels}
        image = self.make_image(repr((key, sorted(labels.items()))), labels)
        self.built.append(build)
        return self.add_image(build.tag, image)

    def push(self, reference: str, say: Say) -> str:
        image = self._known(reference)
        if self.no_push:
            raise push_error(self._refusal(["push", reference], self.no_push))
        say(f"The push refers to repository [{reference.rpartition(':')[0]}]")
        digest = "sha256:" + hashlib.sha256(image.id.encode()).hexdigest()
        name = f"{reference.rpartition(':')[0]}@{digest}"
        self.registry[reference] = self.registry[name] = image
        known = self._images[image.id]
        digests = tuple(dict.fromkeys((*known.digests, name)))
        self._images[image.id] = replace(known, digests=digests)
        return digest

    def in_registry(self, reference: str) -> bool:
        self._check()
        if self.silent:
            raise failure(["docker", "buildx", "imagetools"], 1, ["ERROR: EOF"])
        return reference in self.registry

    def import_image(self, archive: Path, tag: str, labels: Mapping[str, str]) -> ImageInfo:
        self._check()
        if not archive.is_file():
            raise failure(["docker", "image", "import", str(archive)], 1, ["no such file"])
        content = hashlib.sha256(archive.read_bytes()).hexdigest()
        image = self.make_image(repr((content, sorted(labels.items()))), labels)
        return self.add_image(tag, replace(image, size=archive.stat().st_size))

    def read_files(self, reference: str, folder: str) -> Mapping[str, str]:
        self._known(reference)
        if (full_name(reference), folder) not in self.files:
            words = f"Could not find the file {folder}/. in container {reference}"
            raise self._refusal(["cp", folder], words)
        return dict(self.files[full_name(reference), folder])

    def tag(self, reference: str, tag: str) -> None:
        self._tags[full_name(tag)] = self._known(reference).id

    def remove_image(self, reference: str) -> None:
        self._check()
        id_ = self._tags.pop(full_name(reference), reference)
        if id_ not in self._tags.values():
            self._images.pop(id_, None)

    # --- containers ------------------------------------------------------------------------------

    def containers(
        self, *, labels: Mapping[str, str] | None = None, name: str | None = None
    ) -> list[ContainerInfo]:
        self._check()
        return [
            container.described()
            for container in list(self._containers.values())
            if name in (None, container.name) and has(container.labels, labels)
        ]

    def run(self, container: Run) -> ContainerInfo:
        self._check()
        for volume in container.volumes:
            self.volume_labels.setdefault(volume, dict(container.labels))
        self.volumes.update(container.volumes)
        if container.network not in self.subnets:
            words = f"network {container.network} not found"
            raise self._refusal(["run", "--name", container.name], words)
        ports: dict[str, tuple[tuple[str, int], ...]] = {}
        for port in container.ports:
            ports[f"{port.node_port}/tcp"] = ((port.address, port.host_port),)
        return self.add_container(
            FakeContainer(
                container.name,
                container.image,
                labels=dict(container.labels),
                ports=ports,
                addresses={container.network: "172.18.0.9"},
                volumes=tuple(container.volumes),
            )
        ).described()

    def exec(self, container: str, command: Sequence[str], *, stdin: bytes | None = None) -> str:
        call = ["docker", "exec", container, *command]
        found = self._container(container, call)
        if found.state != "running":
            words = f"Error response from daemon: container {found.id} is not running"
            raise failure(call, 1, [words])
        try:
            return found.execute(command, stdin or b"")
        except Failed as failed:
            raise failure(call, failed.status, failed.output.splitlines()) from failed

    def load_into(self, container: str, references: Sequence[str]) -> None:
        call = ["docker", "exec", container, "ctr"]
        node = self._container(container, call)
        images = {full_name(reference): self._known(reference).id for reference in references}
        if node.state != "running":
            words = f"Error response from daemon: container {node.id} is not running"
            raise failure(call, 1, [words])
        node.images |= images

    def start(self, container: str) -> None:
        found = self._container(container, ["docker", "start", container])
        self.check_ports(found.name, found.ports)
        found.state, found.started_at = "running", datetime.now(UTC)

    def stop(self, container: str) -> None:
        self._container(container, ["docker", "stop", container]).state = "exited"

    def remove(self, container: str) -> None:
        self._check()
        found = self._find(container)
        if found is not None:
            del self._containers[found.name]
            anonymous = [name for name in found.volumes if name not in self.volume_labels]
            self.volumes.difference_update(anonymous)

    def logs(self, container: str, *, tail: int = 50) -> str:
        return "\n".join(self._container(container, ["docker", "logs", container]).log[-tail:])

    def volume(self, name: str) -> Mapping[str, str] | None:
        self._check()
        return self.volume_labels.get(name)

    def unused_volumes(self) -> Mapping[str, Mapping[str, str]]:
        self._check()
        mounted = {name for container in self._containers.values() for name in container.volumes}
        return {name: self.volume_labels.get(name, {}) for name in self.volumes - mounted}

    def remove_volume(self, name: str) -> None:
        self._check()
        users = [c.name for c in self._containers.values() if name in c.volumes]
        if users:
            raise self._refusal(["volume", "rm", name], f"volume is in use - {users}")
        self.volumes.discard(name)
        self.volume_labels.pop(name, None)

    def networks(self) -> dict[str, Network]:
        self._check()
        return {
            name: Network(subnets, reserved=self.reserved.get(name, ()))
            for name, subnets in self.subnets.items()
        }

    # --- for tests -------------------------------------------------------------------------------

    def make_image(self, content: str, labels: Mapping[str, str] | None = None) -> ImageInfo:
        """An image that no engine has yet; equal content and labels give an equal ID."""
        id_ = "sha256:" + hashlib.sha256(repr((content, labels)).encode()).hexdigest()
        architecture = self.engine_info.architecture
        return ImageInfo(id_, (), (), dict(labels or {}), 1 << 20, architecture)

    def add_image(self, reference: str, image: ImageInfo | None = None) -> ImageInfo:
        """Put it into the engine under that name."""
        image = image or self.make_image(reference)
        self._images[image.id] = replace(image, tags=())
        self._tags[full_name(reference)] = image.id
        return self._described(image.id)

    def add_files(self, reference: str, folder: str, files: Mapping[str, str]) -> ImageInfo:
        """An image with these in it."""
        self.files[full_name(reference), folder] = files
        return self.add_image(reference)

    def note_digest(self, reference: str, digest: str) -> None:
        """As if it had been pulled from that registry."""
        id_ = self._known(reference).id
        self._images[id_] = replace(self._images[id_], digests=(digest,))

    def add_container(self, container: FakeContainer) -> FakeContainer:
        """`docker run`, or `docker create` where its state is not running. Raises ToolError as those
        do, and leaves a container in state `created` where its ports are taken."""
        call = ["docker", "run", "--name", container.name, container.image]
        if container.name in self._containers:
            raise failure(call, 125, [f"Conflict. The name {container.name} is already in use"])
        container.labels = {**self._known(container.image).labels, **container.labels}
        self._containers[container.name] = container
        self.volumes.update(container.volumes)
        if container.state == "running":
            container.state = "created"
            self.check_ports(container.name, container.ports)
            container.state = "running"
            container.started_at = container.started_at or datetime.now(UTC)
        return container

    def container(self, name: str) -> FakeContainer:
        return self._containers[name]

    def check_ports(self, name: str, ports: Mapping[str, Sequence[tuple[str, int]]]) -> None:
        for address, port in (binding for bound in ports.values() for binding in bound):
            taken = any(
                (address, port) in bound
                for other in self._containers.values()
                if other.name != name and other.state == "running"
                for bound in other.ports.values()
            )
            if taken or self.ports_in_use(address, port):
                words = f"Bind for {address}:{port} failed: port is already allocated"
                raise failure(["docker", "start", name], 125, [words])

    # --- inside ----------------------------------------------------------------------------------

    def _check(self) -> None:
        if self.problem is not None:
            raise self.problem

    def _described(self, id_: str) -> ImageInfo:
        tags = tuple(_familiar(tag) for tag, tagged in self._tags.items() if tagged == id_)
        return replace(self._images[id_], tags=tags)

    def _known(self, reference: str) -> ImageInfo:
        found = self.image(reference)
        if found is None:
            raise self._refusal(["image", "inspect", reference], f"No such image: {reference}")
        return found

    def _find(self, container: str) -> FakeContainer | None:
        for found in list(self._containers.values()):
            if container in (found.name, found.id):
                return found
        return None

    def _container(self, container: str, call: Sequence[str]) -> FakeContainer:
        self._check()
        found = self._find(container)
        if found is None:
            words = f"Error response from daemon: No such container: {container}"
            raise failure(call, 1, [words])
        return found

    def _refusal(self, command: Sequence[str], words: str) -> ToolError:
        return failure(["docker", *command], 1, [f"Error response from daemon: {words}"])


def has(labels: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    return all(k in labels and v in ("", labels[k]) for k, v in (wanted or {}).items())


def _familiar(name: str) -> str:
    """postgres:17 for docker.io/library/postgres:17, as the engine prints it."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _content(build: Build) -> str:
    """A digest of the build context's files."""
    digest = hashlib.sha256()
    for path in sorted(Path(build.context).rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(build.context).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
