"""The real implementation of Engine.

Changes (pull, build, import, tag, remove, start, stop) go through python-on-whales. Queries run the same
`docker` client directly and read its JSON, for three reasons: python-on-whales inspects objects one by
one, and again at each later access (85 ms for three images instead of 20 ms), and fails if an object
vanishes meanwhile; its models lack fields that kindctl needs (cgroup version, rootless); and its import
takes 0.25-0.5 s, too long for an `up` that has nothing to change. `load_into`, and `exec` with standard
input, also run the client directly, because python-on-whales supports neither.

python-on-whales and the direct calls both find the engine as the client does: by DOCKER_HOST, or else by
the current context.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.models import Say
from kindctl.references import full_name
from kindctl.tools import process
from kindctl.tools.engine_json import (
    container_info,
    engine_info,
    image_info,
    network,
)
from kindctl.tools.engine_protocol import (
    Build,
    ContainerInfo,
    EngineInfo,
    ImageInfo,
    Network,
    Run,
)
from kindctl.tools.engine_words import (
    as_error,
    build_error,
    is_missing,
    pull_error,
    push_error,
)

if TYPE_CHECKING:
    from python_on_whales import DockerClient

IMPORTS_AT_ONCE = 2
"""More imports at the same time would compete for the disk with each other and with the starting control
plane."""

_NODE_CTR = ("ctr", "--namespace", "k8s.io", "images")


class DockerEngine:
    """Implements engine_protocol.Engine with the docker client and python-on-whales."""

    def __init__(self) -> None:
        self._imports = threading.BoundedSemaphore(IMPORTS_AT_ONCE)

    def info(self) -> EngineInfo:
        from concurrent.futures import ThreadPoolExecutor

        # Only `docker version` tells Podman from Docker, and only the context names the endpoint. In
        # parallel they take as long as the slowest, 60 ms.
        with ThreadPoolExecutor(3) as pool:
            info = pool.submit(self._ask, "info", "--format", "{{json .}}")
            version = pool.submit(self._ask, "version", "--format", "{{json .}}")
            endpoint = pool.submit(self._endpoint)
            return engine_info(
                json.loads(info.result()), json.loads(version.result()), endpoint.result()
            )

    def builder_version(self) -> str:
        words = self._ask("buildx", "version").split()  # github.com/docker/buildx v0.13.1 ...
        return words[1].removeprefix("v") if len(words) > 1 else ""

    def image(self, reference: str) -> ImageInfo | None:
        found = self._inspect("image", [reference])
        return image_info(found[0]) if found else None

    def images(self, labels: Mapping[str, str] | None = None) -> list[ImageInfo]:
        ids = self._ask("image", "ls", "--quiet", "--no-trunc", *_filters(labels)).split()
        return [image_info(found) for found in self._inspect("image", list(dict.fromkeys(ids)))]

    def pull(self, reference: str, say: Say) -> ImageInfo:
        with self._acting(to_error=pull_error) as client:
            _say_lines(client.image.pull(reference, stream_logs=True), say)
        return self._present(reference)

    def build(self, build: Build, say: Say) -> ImageInfo:
        with self._acting(to_error=build_error) as client:
            lines = client.buildx.build(
                build.context,
                file=build.dockerfile,
                tags=[build.tag],
                target=build.target,
                build_args=dict(build.args),
                build_contexts=dict(build.contexts),
                labels=dict(build.labels),
                # A builder that runs in a container would not see the engine's images as bases.
                builder=self._ask("context", "show").strip(),
                # An attestation turns the image into an index that nodes cannot import whole.
                provenance=False,
                load=True,
                progress="plain",
                stream_logs=True,
            )
            for line in cast(Iterable[str], lines):
                say(line.rstrip())
        return self._present(build.tag)

    def push(self, reference: str, say: Say) -> str:
        with self._acting(to_error=push_error) as client:
            _say_lines(client.image.push(reference, stream_logs=True), say)
        repository = reference.rpartition(":")[0]
        for name in self._present(reference).digests:
            if name.startswith(f"{repository}@"):
                return name.partition("@")[2]
        raise ToolError(f"the engine does not report the digest of the pushed image {reference}")

    def in_registry(self, reference: str) -> bool:
        try:  # BuildKit's client has the engine's credentials, and uses plain HTTP on loopback only
            self._ask("buildx", "imagetools", "inspect", "--raw", reference)
        except ToolError as error:
            if re.search(r"not found|manifest unknown|name unknown", error.output, re.IGNORECASE):
                return False
            raise
        return True

    def import_image(self, archive: Path, tag: str, labels: Mapping[str, str]) -> ImageInfo:
        changes = [f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in labels.items()]
        with self._acting() as client:
            client.image.import_(archive, tag=tag, changes=changes)
        return self._present(tag)

    def read_files(self, reference: str, folder: str) -> Mapping[str, str]:
        # The container is never started. An image without a program needs a command all the same.
        container = self._ask("create", "--pull", "never", reference, "none").strip()
        try:
            with tempfile.TemporaryDirectory() as target:
                self._ask("cp", f"{container}:{folder}/.", target)
                files = sorted(path for path in Path(target).iterdir() if path.is_file())
                return {path.name: path.read_text() for path in files}
        finally:
            self._ask("rm", "--force", "--volumes", container)

    def tag(self, reference: str, tag: str) -> None:
        with self._acting() as client:
            client.image.tag(reference, tag)

    def remove_image(self, reference: str) -> None:
        with self._acting(missing_ok=True) as client:
            client.image.remove(reference)

    def containers(
        self, *, labels: Mapping[str, str] | None = None, name: str | None = None
    ) -> list[ContainerInfo]:
        if name is not None:
            ids = [name]
        else:
            ids = self._ask("ps", "--all", "--quiet", "--no-trunc", *_filters(labels)).split()
        found = [container_info(found) for found in self._inspect("container", ids)]
        return [  # for a name the engine also finds a container whose ID starts with it
            container
            for container in found
            if name in (None, container.name) and _has(container.labels, labels)
        ]

    def run(self, container: Run) -> ContainerInfo:
        with self._acting() as client:
            for volume in container.volumes:
                client.volume.create(volume, labels=dict(container.labels))
            client.container.run(
                container.image,
                detach=True,
                name=container.name,
                labels=dict(container.labels),
                networks=[container.network],
                publish=[(f"{p.address}:{p.host_port}", p.node_port) for p in container.ports],
                volumes=list(container.volumes.items()),
                restart="unless-stopped",
                pull="never",
            )
        (found,) = self.containers(name=container.name)
        return found

    def exec(self, container: str, command: Sequence[str], *, stdin: bytes | None = None) -> str:
        interactive = [] if stdin is None else ["--interactive"]
        return self._ask("exec", *interactive, container, *command, stdin=stdin)

    def load_into(self, container: str, references: Sequence[str]) -> None:
        wanted = {full_name(reference) for reference in references}
        # With the containerd image store the archive has the index of all platforms and the content
        # of those that the engine has, so that the node's image keeps the engine's digest. That
        # is why `--all-platforms` must not be given here (kind#3795). `--local` (containerd
        # 1.7's default, not 2's) unpacks into the snapshotter that is named.
        importing = [
            *_NODE_CTR,
            "import",
            "--local",
            "--snapshotter",
            self._snapshotter(container),
            "-",
        ]
        with self._imports:
            with _engine_errors():
                process.pipe(
                    [self._client(), "save", *references],
                    [self._client(), "exec", "--interactive", container, *importing],
                )
            filters = [f"name=={name}" for name in sorted(wanted)]
            there = self.exec(container, [*_NODE_CTR, "check", "--quiet", *filters]).split()
        if absent := sorted(wanted.difference(there)):
            raise ToolError(
                f"node {container} does not have {', '.join(absent)}, although the import succeeded",
                why="the imported archive had no image with this name, or was incomplete",
                code="image-import",
            )

    def start(self, container: str) -> None:
        with self._acting() as client:
            client.container.start(container)

    def stop(self, container: str) -> None:
        with self._acting() as client:
            client.container.stop(container)

    def remove(self, container: str) -> None:
        with self._acting(missing_ok=True) as client:
            client.container.remove(container, force=True, volumes=True)

    def logs(self, container: str, *, tail: int = 50) -> str:
        lines: list[str] = []
        self._ask("logs", "--tail", str(tail), container, say=lines.append)
        return "\n".join(lines)

    def volume(self, name: str) -> Mapping[str, str] | None:
        found = self._inspect("volume", [name])
        return dict(found[0].get("Labels") or {}) if found else None

    def unused_volumes(self) -> Mapping[str, Mapping[str, str]]:
        names = self._ask("volume", "ls", "--quiet", "--filter=dangling=true").split()
        found = self._inspect("volume", names)
        return {volume["Name"]: dict(volume.get("Labels") or {}) for volume in found}

    def remove_volume(self, name: str) -> None:
        with self._acting(missing_ok=True) as client:
            client.volume.remove(name)

    def networks(self) -> dict[str, Network]:
        ids = self._ask("network", "ls", "--quiet", "--no-trunc").split()
        return {found["Name"]: network(found) for found in self._inspect("network", ids)}

    def _client(self) -> str:
        program = shutil.which("docker")
        if program is None:
            raise MachineError(
                "no container engine: `docker` is not installed",
                fix="run `kindctl doctor --fix`, or install Docker from https://docs.docker.com/engine/install",
                code="engine-missing",
            )
        return program

    def _ask(self, *arguments: str, say: Say | None = None, stdin: bytes | None = None) -> str:
        with _engine_errors():
            return process.run([self._client(), *arguments], say=say, stdin=stdin)

    def _inspect(self, kind: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Inspect all objects with one call. Objects that no longer exist are left out."""
        if not ids:
            return []
        try:
            found: list[dict[str, Any]] = json.loads(self._ask(kind, "inspect", *ids))
        except ToolError as error:
            if not is_missing(error.output):
                raise
            # The client prints what it found and fails for the rest: inspect each one alone.
            return [one for id_ in ids if len(ids) > 1 for one in self._inspect(kind, [id_])]
        return found

    def _present(self, reference: str) -> ImageInfo:
        found = self.image(reference)
        if found is None:
            raise ToolError(
                f"the engine has no image {reference}, although it has just created this image"
            )
        return found

    def _endpoint(self) -> str:
        try:
            return self._ask("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
        except ToolError:  # Podman's replacement of the client has no contexts
            return os.environ.get("DOCKER_HOST", "")

    def _snapshotter(self, container: str) -> str:
        """Return the snapshotter that the node's containerd uses.

        If overlayfs cannot work on this machine (rootless, ZFS), kind's entrypoint configures another
        snapshotter.
        """
        pattern = r's/^ *snapshotter *= *"\([^"]*\)".*/\1/p'
        names = self.exec(container, ["sed", "-n", pattern, "/etc/containerd/config.toml"])
        return (names.split() or ["overlayfs"])[0]

    @contextmanager
    def _acting(
        self, *, missing_ok: bool = False, to_error: Callable[[ToolError], KindctlError] = as_error
    ) -> Iterator[DockerClient]:
        """Yield a client of python-on-whales. `to_error` converts its errors.

        With `missing_ok`, an object that does not exist is not an error.
        """
        program = self._client()
        from python_on_whales import DockerClient, DockerException

        try:
            yield DockerClient(client_call=[program])
        except DockerException as error:
            output = error.stderr or error.stdout or ""
            if missing_ok and is_missing(output):
                return
            failed = process.failure(error.docker_command, error.return_code, output.splitlines())
            raise to_error(failed) from error


def _say_lines(stream: object, say: Say) -> None:
    """Pass each line of a pull or push to `say`. python-on-whales yields pairs (name of the stream,
    line)."""
    for _, line in cast(Iterable[tuple[str, bytes]], stream):
        say(line.decode(errors="replace").rstrip())


def _filters(labels: Mapping[str, str] | None) -> list[str]:
    return [
        f"--filter=label={name}" + (f"={value}" if value else "")
        for name, value in (labels or {}).items()
    ]


def _has(labels: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    return all(
        name in labels and value in ("", labels[name]) for name, value in (wanted or {}).items()
    )


def _quoted(text: str) -> str:
    """Quote a text as a word of a Dockerfile instruction, so that `$` in it is not expanded."""
    return json.dumps(text, ensure_ascii=False).replace("$", "\\$")


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except ToolError as error:
        raise as_error(error) from error
