"""Benches prepare the world around a tool for a contract test: one for the fake, one for the real tool."""

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
        """Labels for whatever the test makes."""
        ...

    def root_archive(self) -> Path:
        """Write an archive of a root file system with sh, cat, sleep, test, touch and false."""
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
        """Run a container that prints `one`, `two`, `three` and then sleeps.

        `port`: where its port 8080 is published on 127.0.0.1; 0: nowhere. `volume`: whether it has an
        anonymous volume.
        """
        ...

    def has_volume(self, name: str) -> bool: ...

    def publish(self, labels: Mapping[str, str]) -> str:
        """Put an image into a registry. Return the reference by which the engine can pull it."""
        ...

    def empty_registry(self) -> str:
        """Start a registry that takes images. Return its host:port."""
        ...

    def no_registry(self) -> str:
        """Return a host:port at which no registry answers."""
        ...

    def endless(self, base: ImageInfo) -> str:
        """Make an image from `base` whose containers sleep. Return its tag."""
        ...

    def image_of(self, folder: str, files: Mapping[str, str]) -> str:
        """Make an image with these files (name -> text) in a folder, and no program. Return its name."""
        ...

    def shut_down(self) -> None:
        """Take the engine away from the address in use."""
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
        """Listen at an address. Return the port."""
        ...

    def just_closed(self) -> int:
        """Return a port of 127.0.0.1 whose listener is gone while a connection is still in TIME_WAIT."""
        ...

    def slam(self) -> int:
        """Return a port of 127.0.0.1 at which each connection is accepted and closed."""
        ...

    def serve(self, handler: Handler, *, tls: bool = False) -> tuple[str, int]:
        """Start an HTTP server. Return its address and port. With TLS its certificate is for shop.test,
        signed by `authority()`."""
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
