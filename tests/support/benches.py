"""What a contract test must do to the world around a tool, besides calling the tool: one bench for the
fake, one for the real thing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from kindctl.errors import MachineError
from kindctl.tools.engine_protocol import Engine, ImageInfo
from kindctl.tools.protocols import HttpAnswer, Net
from tests.fakes.container import FakeContainer
from tests.fakes.engine import FakeEngine
from tests.fakes.net import FakeNet, Request
from tests.support.certificates import authority

TEST_LABEL = "dev.kindctl.test"
"""On everything that tests make in the engine; its value is the bench's own."""

Handler = Callable[[Request], HttpAnswer]


class EngineBench(Protocol):
    prefix: str  # of the names of images and containers that the test makes

    @property
    def engine(self) -> Engine: ...

    @property
    def labels(self) -> Mapping[str, str]:
        """For whatever the test makes."""
        ...

    def root_archive(self) -> Path:
        """A root file system with sh, cat, sleep, test, touch and false."""
        ...

    def run(
        self,
        name: str,
        image: str,
        labels: Mapping[str, str],
        *,
        port: int = 0,
        volume: bool = False,
    ) -> None:
        """A container that prints `one`, `two`, `three` and then sleeps. `port`: 8080 of it, on that
        port of 127.0.0.1. `volume`: with an anonymous one."""
        ...

    def has_volume(self, name: str) -> bool: ...

    def publish(self, labels: Mapping[str, str]) -> str:
        """An image in a registry; the reference under which the engine can pull it."""
        ...

    def empty_registry(self) -> str:
        """host:port of a registry that takes images."""
        ...

    def no_registry(self) -> str:
        """host:port where none answers."""
        ...

    def endless(self, base: ImageInfo) -> str:
        """The tag of an image, made of that, whose containers sleep."""
        ...

    def image_of(self, folder: str, files: Mapping[str, str]) -> str:
        """The name of an image that has these files (name -> text) in a folder, and no program."""
        ...

    def shut_down(self) -> None:
        """From now on there is no engine at the address in use."""
        ...


class FakeEngineBench:
    def __init__(self, tmp_path: Path) -> None:
        self.engine = FakeEngine()
        self.prefix = f"test-{uuid.uuid4().hex[:8]}"
        self.labels = {TEST_LABEL: self.prefix}
        self._tmp_path = tmp_path

    def root_archive(self) -> Path:
        path = self._tmp_path / "root.tar"
        path.write_bytes(b"a root file system")
        return path

    def run(
        self,
        name: str,
        image: str,
        labels: Mapping[str, str],
        *,
        port: int = 0,
        volume: bool = False,
    ) -> None:
        self.engine.add_container(
            FakeContainer(
                name,
                image,
                labels=dict(labels),
                ports={"8080/tcp": (("127.0.0.1", port),)} if port else {},
                addresses={"bridge": "172.17.0.2"},
                volumes=(f"volume-of-{name}",) if volume else (),
                log=["one", "two", "three"],
            )
        )

    def has_volume(self, name: str) -> bool:
        return name in self.engine.volumes

    def publish(self, labels: Mapping[str, str]) -> str:
        reference = f"127.0.0.1:5000/{self.prefix}:1"
        self.engine.registry[reference] = self.engine.make_image("published", labels)
        return reference

    def empty_registry(self) -> str:
        return "127.0.0.1:5000"

    def no_registry(self) -> str:
        self.engine.no_push = "dial tcp 127.0.0.1:9: connect: connection refused"
        return "127.0.0.1:9"

    def endless(self, base: ImageInfo) -> str:
        return base.tags[0]

    def image_of(self, folder: str, files: Mapping[str, str]) -> str:
        reference = f"kindctl.local/{self.prefix}:files"
        self.engine.add_files(reference, folder, files)
        return reference

    def shut_down(self) -> None:
        self.engine.problem = MachineError("the engine does not answer", code="engine-down")


class NetBench(Protocol):
    @property
    def net(self) -> Net: ...

    def listen(self, address: str) -> int:
        """A port there on which this process listens."""
        ...

    def just_closed(self) -> int:
        """A port of 127.0.0.1 whose listener is gone, with a connection of its in TIME_WAIT."""
        ...

    def slam(self) -> int:
        """A port of 127.0.0.1 that takes each connection and closes it."""
        ...

    def serve(self, handler: Handler, *, tls: bool = False) -> tuple[str, int]:
        """An HTTP server; with TLS its certificate is for shop.test, by `authority()`."""
        ...


class FakeNetBench:
    def __init__(self) -> None:
        self.net = FakeNet()

    def listen(self, address: str) -> int:
        port = self.net.free_port(address, ())
        self.net.listen(address, port, "python", os.getpid())
        return port

    def just_closed(self) -> int:
        return self.net.free_port("127.0.0.1", ())

    def slam(self) -> int:
        port = self.listen("127.0.0.1")
        self.net.closing.add(("127.0.0.1", port))
        return port

    def serve(self, handler: Handler, *, tls: bool = False) -> tuple[str, int]:
        where = ("127.0.0.1", self.net.free_port("127.0.0.1", ()))
        self.net.serve(*where, handler)
        if tls:
            self.net.certificates[where] = authority().certificate
        return where
