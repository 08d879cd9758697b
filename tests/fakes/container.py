"""A container in memory, with files and the few programs that are run in one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kindctl.tools.engine_protocol import ContainerInfo

Program = Callable[["FakeContainer", Sequence[str], bytes], str]
"""(the container, arguments, standard input) -> standard output. Raises Failed."""


class Failed(Exception):  # noqa: N818 - what a program does, not what this code does wrong
    def __init__(self, status: int, output: str = "") -> None:
        super().__init__(output)
        self.status = status
        self.output = output


@dataclass
class FakeContainer:
    """`images` are those of a kind node's containerd: full name -> ID, which is also their digest (as with
    an engine that has the containerd image store). `programs` are added to those
    that every container has."""

    name: str
    image: str
    labels: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    started_at: datetime | None = None
    ports: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = hashlib.sha256(f"{self.name} {id(self)}".encode()).hexdigest()
        self.programs = {**PROGRAMS, **self.programs}

    def described(self) -> ContainerInfo:
        running = self.state == "running"
        return ContainerInfo(
            id=self.id,
            name=self.name,
            image=self.image,
            labels=dict(self.labels),
            state=self.state,
            started_at=self.started_at,
            ports=dict(self.ports),
            addresses=dict(self.addresses) if running else {},
            volumes=self.volumes,
        )

    def execute(self, command: Sequence[str], stdin: bytes) -> str:
        program = self.programs.get(command[0])
        if program is None:
            raise Failed(127, f'exec: "{command[0]}": executable file not found in $PATH')
        return program(self, command[1:], stdin)


def _cat(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    if not arguments:
        return stdin.decode()
    missing = [path for path in arguments if path not in container.files]
    if missing:
        raise Failed(1, f"cat: {missing[0]}: No such file or directory")
    return "".join(container.files[path] for path in arguments)


def _test(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    flag, path = arguments
    folder = any(name.startswith(f"{path}/") for name in container.files)
    if not {"-e": path in container.files or folder, "-f": path in container.files, "-d": folder}[
        flag
    ]:
        raise Failed(1)
    return ""


def _touch(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    for path in arguments:
        container.files.setdefault(path, "")
    return ""


def _tee(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    for path in arguments:
        container.files[path] = stdin.decode()
    return stdin.decode()


def _copy(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    source, target = arguments
    text = stdin.decode() if source == "/dev/stdin" else _cat(container, [source], stdin)
    container.files[target] = text
    return ""


def _remove(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    for path in arguments:
        for name in [n for n in container.files if n == path or n.startswith(f"{path}/")]:
            del container.files[name]
    return ""


def _ctr(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    """`ctr version`, `ctr -n k8s.io images ls|check [-q] [name==NAME ...]`"""
    words = [word for word in arguments if not word.startswith("-") and word != "k8s.io"]
    if words[:1] == ["version"]:
        return "Client:\n  Version:  2.1.9\n"
    wanted = {word.removeprefix("name==") for word in words if word.startswith("name==")}
    names = [name for name in sorted(container.images) if not wanted or name in wanted]
    if {"-q", "--quiet"} & set(arguments):
        return "".join(f"{name}\n" for name in names)
    media = "application/vnd.oci.image.manifest.v1+json"
    lines = [f"{name} {media} {container.images[name]} 1.0 MiB linux/amd64 -" for name in names]
    return "\n".join(["REF TYPE DIGEST SIZE PLATFORMS LABELS", *lines]) + "\n"


def _crictl(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    """`crictl images -o json`, `crictl inspecti -o json NAME`"""
    images = [{"id": id_, "repoTags": [name]} for name, id_ in sorted(container.images.items())]
    if arguments[0] == "images":
        return json.dumps({"images": images})
    for image in images:
        if arguments[-1] in (image["id"], *image["repoTags"]):
            return json.dumps({"status": image})
    raise Failed(1, f'no such image "{arguments[-1]}" present')


def _grep(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    """`grep -rlsxF LINE FOLDER`"""
    line, folder = arguments[-2:]
    found = [
        name
        for name, text in container.files.items()
        if name.startswith(f"{folder}/") and line in text.splitlines()
    ]
    if not found:
        raise Failed(1)
    return "".join(f"{name}\n" for name in found)


def _remove_folder(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    for path in arguments:
        if any(name.startswith(f"{path}/") for name in container.files):
            raise Failed(1, f"rmdir: failed to remove '{path}': Directory not empty")
    return ""


def _false(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    raise Failed(1)


def _nothing(container: FakeContainer, arguments: Sequence[str], stdin: bytes) -> str:
    return ""


PROGRAMS: Mapping[str, Program] = {
    "cat": _cat,
    "cp": _copy,
    "crictl": _crictl,
    "ctr": _ctr,
    "false": _false,
    "grep": _grep,
    "mkdir": _nothing,
    "rm": lambda container, arguments, stdin: _remove(
        container, [word for word in arguments if not word.startswith("-")], stdin
    ),
    "rmdir": _remove_folder,
    "tee": _tee,
    "test": _test,
    "touch": _touch,
    "true": _nothing,
}
