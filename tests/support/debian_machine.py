"""A Debian machine in memory, and what is installed on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kindctl.errors import MachineError
from kindctl.machine import debian
from kindctl.machine.debian_packages import DEBOOTSTRAP, ENGINE, KIND
from tests.fakes.apt import Package
from tests.fakes.engine import FakeEngine
from tests.fakes.host import FakeHost


def quiet(line: str) -> None:
    pass


class Machine(FakeHost):
    """With /proc."""

    def read(self, path: Path) -> str | None:
        if path.parts[:2] == ("/", "proc") and path.name == "comm":
            command = self.processes.get(int(path.parts[2]))
            return f"{Path(command[0]).name}\n" if command else None
        return super().read(path)


@dataclass
class EngineOf(FakeEngine):
    """Answers while a dockerd runs on its machine."""

    host: FakeHost = field(default_factory=FakeHost)

    def _check(self) -> None:
        if not any("dockerd" in command[0] for command in self.host.processes.values()):
            raise MachineError("the container engine does not answer", code="engine-down")


def set_up(host: Machine) -> None:
    for part in (ENGINE, KIND, DEBOOTSTRAP):
        debian.install(host, part, quiet)


def state(host: FakeHost) -> tuple[dict[Path, str], dict[str, Package]]:
    return dict(host.files), dict(host.apt.installed)
