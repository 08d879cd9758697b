"""The running engine, for the contract tests of Engine. All that they make carries TEST_LABEL with the
bench's own value and is removed with the bench."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.build import BuildSource
from kindctl.tools.engine import DockerEngine
from kindctl.tools.engine_protocol import Build, ImageInfo
from kindctl.tools.net import RealNet
from kindctl.tools.real import real_tools
from tests.support.benches import TEST_LABEL
from tests.support.real_net import RealNetBench
from tests.support.real_registry import Registry

PROGRAMS = ("sh", "cat", "sleep", "test", "touch", "false")
SCRIPT = 'trap "exit 0" TERM; echo one; echo two >&2; echo three; sleep 600 & wait'


class RealEngineBench:
    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registries: RealNetBench
    ) -> None:
        self.engine = DockerEngine()
        self.prefix = f"test-{uuid.uuid4().hex[:8]}"
        self.labels = {TEST_LABEL: self.prefix}
        self._tmp_path = tmp_path
        self._monkeypatch = monkeypatch
        self._registries = registries

    @classmethod
    @contextmanager
    def opened(cls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealEngineBench]:
        with RealNetBench.opened() as registries:
            bench = cls(tmp_path, monkeypatch, registries)
            try:
                yield bench
            finally:
                monkeypatch.undo()
                bench._clean_up()

    def root_archive(self) -> Path:
        path = self._tmp_path / "root.tar"
        pack_programs(path)
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
        options = [f"--label={key}={value}" for key, value in {**self.labels, **labels}.items()]
        options += [f"--publish=127.0.0.1:{port}:8080"] if port else []
        options += ["--volume=/data"] if volume else []
        options.append("--stop-timeout=1")  # a TERM before the trap is set is lost
        docker("run", "--detach", f"--name={name}", *options, image, "/bin/sh", "-c", SCRIPT)

    def has_volume(self, name: str) -> bool:
        return name in docker("volume", "ls", "--quiet").split()

    def publish(self, labels: Mapping[str, str]) -> str:
        architecture = self.engine.info().architecture
        registry = Registry(architecture, {**self.labels, **labels})
        address, port = self._registries.serve(registry)
        return f"{address}:{port}/{self.prefix}:1"

    def empty_registry(self) -> str:
        """Run Debian's registry, built by the recipe in images/recipes. Return its host:port."""
        tools = real_tools()
        book = RecipeBook(extra_cas=tools.host.trusted_cas())
        source = BuildSource(SourceContext(tools, {}, book))
        image = source.provide_recipe(book.get("registry"), lambda _: None).name
        label = f"--label={TEST_LABEL}={self.prefix}"
        container = docker("run", "--detach", label, "--publish=127.0.0.1::5000", image).strip()
        address = docker("port", container, "5000/tcp").split()[0]
        answers = Retrying(
            retry=retry_if_not_result(bool), stop=stop_after_delay(20), wait=wait_fixed(0.1)
        )
        answers(tools.net.reachable, f"http://{address}/v2/")
        return address

    def no_registry(self) -> str:
        return f"127.0.0.1:{RealNet().free_port('127.0.0.1', ())}"

    def endless(self, base: ImageInfo) -> str:
        folder = self._tmp_path / "endless"
        folder.mkdir()
        command = json.dumps(["/bin/sh", "-c", SCRIPT])
        (folder / "Dockerfile").write_text(f"FROM {base.tags[0]}\nCMD {command}\n")
        tag = f"kindctl.local/{self.prefix}:endless"
        return self.engine.build(Build(str(folder), tag, labels=self.labels), lambda _: None).tags[
            0
        ]

    def image_of(self, folder: str, files: Mapping[str, str]) -> str:
        context = self._tmp_path / "files"
        context.mkdir()
        for name, text in files.items():
            (context / name).write_text(text)
        (context / "Dockerfile").write_text(f"FROM scratch\nCOPY *.yaml {folder}/\n")
        tag = f"kindctl.local/{self.prefix}:files"
        return self.engine.build(Build(str(context), tag, labels=self.labels), lambda _: None).tags[
            0
        ]

    def shut_down(self) -> None:
        self._monkeypatch.setenv("DOCKER_HOST", f"unix://{self._tmp_path}/no-engine.sock")

    def _clean_up(self) -> None:
        mine = f"--filter=label={TEST_LABEL}={self.prefix}"
        if containers := docker("ps", "--all", "--quiet", mine).split():
            docker("rm", "--force", "--volumes", *containers)
        if volumes := docker("volume", "ls", "--quiet", mine).split():
            docker("volume", "rm", *volumes)
        if images := docker("image", "ls", "--quiet", "--no-trunc", mine).split():
            docker("image", "rm", "--force", *dict.fromkeys(images))


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(f"docker {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def pack_programs(path: Path) -> None:
    """Pack some programs of this machine, with the libraries they need, as a root file system."""
    files = set()
    for program in PROGRAMS:
        found = shutil.which(program)
        assert found is not None
        linked = subprocess.run(["ldd", found], check=False, capture_output=True, text=True).stdout
        files.update(re.findall(r"(/\S+) \(0x", linked))
        files.add(found)
    with tarfile.open(path, "w") as archive:
        for file in sorted(files):
            content = Path(file).read_bytes()
            # `/bin` and `/lib` are links into `/usr` on most machines; here they are folders.
            name = f"bin/{Path(file).name}" if Path(file).name in PROGRAMS else file.lstrip("/")
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(content)
            archive.addfile(entry, io.BytesIO(content))
