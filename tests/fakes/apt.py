"""apt-get and dpkg-query of a Debian machine in memory: sources, lists, simulated and real runs."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEBIAN = """deb http://mirror.example.com/debian bookworm main
deb http://mirror.example.com/debian bookworm-updates main
"""

PACKAGES = (
    # name, release, version, what it depends on, programs it brings
    ("debootstrap", "bookworm", "1.0.128", (), ("debootstrap",)),
    ("iptables", "bookworm", "1.8.9", (), ("iptables",)),
    ("tini", "bookworm", "0.19.0", (), ("tini",)),
    ("docker.io", "bookworm", "20.10.24", ("containerd", "runc"), ("dockerd", "docker")),
    ("containerd", "bookworm", "1.6.20", ("runc",), ("containerd",)),
    ("runc", "bookworm", "1.1.5", (), ("runc",)),
    ("docker.io", "trixie", "26.1.5", ("containerd", "runc"), ("dockerd",)),
    ("docker-cli", "trixie", "26.1.5", (), ("docker",)),
    ("docker-buildx", "trixie", "0.13.1", (), ()),
    ("containerd", "trixie", "1.7.24", ("runc",), ("containerd",)),
    ("kind", "sid", "0.33.0", (), ("kind",)),
)


@dataclass(frozen=True)
class Package:
    name: str
    release: str
    version: str
    depends: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


class FakeApt:
    """`archive`: what the mirrors hold; `installed`: what the machine has, by name; `lists`: the
    releases that the last update fetched. A package of a later release is taken only when the release
    is named (as if pinned), its dependencies from the machine's own where that has them."""

    def __init__(self, files: dict[Path, str], programs: MutableMapping[str, Any]) -> None:
        self.archive = [Package(*package) for package in PACKAGES]
        self.own_release = "bookworm"
        self.installed: dict[str, Package] = {}
        self.lists: set[str] = {"bookworm"}
        self.mirror_down = False
        self._files = files
        self._programs = programs
        files.setdefault(Path("/etc/apt/sources.list"), DEBIAN)

    def get(self, arguments: Sequence[str]) -> str:
        """apt-get. Raises LookupError with its message."""
        words = [word for word in _without_options(arguments) if not word.startswith("-")]
        action, names = words[0], words[1:]
        simulate = "-s" in arguments
        if action == "update":
            return self._update()
        if action == "install":
            return self._install(names, simulate)
        if action in ("remove", "purge"):
            return self._remove(action, names, simulate)
        raise LookupError(f"Invalid operation {action}")

    def query(self) -> str:
        """dpkg-query -W -f '${Package}\\t${db:Status-Status}\\n'"""
        return "".join(f"{name}\tinstalled\n" for name in sorted(self.installed))

    def _update(self) -> str:
        if self.mirror_down:
            raise LookupError("Failed to fetch http://mirror.example.com/debian: connection failed")
        self.lists = set()
        for path, text in self._files.items():
            if path.suffix == ".sources":
                for suites in re.findall(r"^Suites: *(.+)$", text, re.MULTILINE):
                    self.lists.update(suites.split())
            elif path.suffix == ".list" or path.name == "sources.list":
                self.lists.update(re.findall(r"^deb (?:\[.*\] )?\S+ (\S+)", text, re.MULTILINE))
        return "".join(f"Get:1 http://mirror.example.com/debian {s}\n" for s in sorted(self.lists))

    def _install(self, names: Sequence[str], simulate: bool) -> str:
        wanted: dict[str, Package] = {}
        for word in names:
            name, _, release = word.partition("/")
            self._add(name, release or self.own_release, wanted)
        lines = []
        for package in wanted.values():
            old = self.installed.get(package.name)
            was = f" [{old.version}]" if old else ""
            lines.append(f"Inst {package.name}{was} ({package.version} Debian:{package.release})")
            if not simulate:
                self.installed[package.name] = package
                for program in package.programs:
                    self._programs.setdefault(program, lambda arguments, stdin, env: "")
        return "".join(f"{line}\n" for line in lines)

    def _add(self, name: str, release: str, wanted: dict[str, Package]) -> None:
        if name in wanted:
            return
        package = self._find(name, release)
        if package is None:
            if release == self.own_release:
                raise LookupError(f"Unable to locate package {name}")
            raise LookupError(f"Release '{release}' for '{name}' was not found")
        for dependency in package.depends:
            if dependency not in self.installed:
                self._add(dependency, self.own_release, wanted)
        if self.installed.get(name) != package:
            wanted[name] = package

    def _find(self, name: str, release: str) -> Package | None:
        if release not in self.lists:
            return None
        found = (p for p in self.archive if (p.name, p.release) == (name, release))
        return next(found, None)

    def _remove(self, action: str, names: Sequence[str], simulate: bool) -> str:
        going = [name for name in names if name in self.installed]
        for package in self.installed.values():  # whatever needs one of them goes too
            if package.name not in going and set(package.depends) & set(going):
                going.append(package.name)
        word = "Purg" if action == "purge" else "Remv"
        lines = [f"{word} {name} [{self.installed[name].version}]" for name in going]
        if not simulate:
            for name in going:
                for program in self.installed.pop(name).programs:
                    self._programs.pop(program, None)
        return "".join(f"{line}\n" for line in lines)


def _without_options(arguments: Sequence[str]) -> list[str]:
    """Without `-o NAME=VALUE`."""
    return [
        word
        for i, word in enumerate(arguments)
        if word != "-o" and arguments[max(i - 1, 0)] != "-o"
    ]
