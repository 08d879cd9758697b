"""NSS databases: Chromium and its kin have one per user, Firefox has one per profile. They do not read
the system's store. `certutil` (package libnss3-tools) changes them; browsers read them at their start.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.models import Say
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa

CERTUTIL = "certutil"
CHROMIUM = ".pki/nssdb"
"""Below the home folder. Where there is none, a Chromium of 2026 has its own below XDG's data folder and
reads that one: seen with 156, which turns to this one as soon as it is there."""

SNAP = "snap/chromium/current/.pki/nssdb"
CHROMIUM_PROGRAMS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("microsoft-edge", "brave-browser", "vivaldi", "opera"),
)
FIREFOX = (
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox",
)
"""Folders with a profiles.ini, below the home folder."""

TRUSTED = "C,,"
"""certutil(1): an authority for TLS servers; not for mail, not for code."""


@dataclass(frozen=True)
class Nss:
    """See trust.base.Store. `folder` holds cert9.db, or will."""

    host: Host
    name: str
    folder: Path

    @property
    def place(self) -> str:
        return str(self.folder)

    def trusts(self, ca: LocalCa) -> bool | None:
        if not self._is_there():
            return False
        try:
            listed = self.host.run(self._certutil("-L"))
        except KindctlError:
            return None
        return any(_is_trusted(line, ca.name) for line in listed.splitlines())

    def hindrance(self) -> str:
        return "" if self.host.which(CERTUTIL) else f"{CERTUTIL} is not installed"

    def how(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        first = []
        if self.hindrance():
            first.append("sudo apt-get install libnss3-tools   # Fedora: nss-tools, macOS: nss")
        if not remove and not self._is_there():
            first += [shlex.join(command) for command in self._create()]
        return (*first, shlex.join(self._remove(ca) if remove else self._add(ca)))

    def add(self, ca: LocalCa, say: Say) -> None:
        if not self._is_there():
            for command in self._create():
                self.host.run(command, say=say)
        self.host.run(self._add(ca), say=say)

    def remove(self, ca: LocalCa, say: Say) -> None:
        if self.trusts(ca) is not False:
            self.host.run(self._remove(ca), say=say)

    def _is_there(self) -> bool:
        return self.host.read(self.folder / "cert9.db") is not None

    def _create(self) -> tuple[list[str], ...]:
        make = ["mkdir", "-p", "-m", "0700", str(self.folder)]
        return make, [*self._certutil("-N"), "--empty-password"]

    def _add(self, ca: LocalCa) -> list[str]:
        return [*self._certutil("-A"), "-t", TRUSTED, "-n", ca.name, "-i", str(ca.file)]

    def _remove(self, ca: LocalCa) -> list[str]:
        return [*self._certutil("-D"), "-n", ca.name]

    def _certutil(self, action: str) -> list[str]:
        return [CERTUTIL, action, "-d", f"sql:{self.folder}"]


def _is_trusted(line: str, name: str) -> bool:
    """A line of `certutil -L`: the name, blanks, the three columns of flags."""
    found = re.fullmatch(r"(.+?)\s+([a-zA-Z]*),([a-zA-Z]*),([a-zA-Z]*)\s*", line)
    return bool(found and found[1] == name and "C" in found[2])


def nss_stores(host: Host, home: Path, data: Path) -> Iterator[Nss]:
    """Chromium's where it has one or is installed, and one for each profile of Firefox. `data`: XDG's
    data folder."""
    places = [home / CHROMIUM, data / "pki/nssdb", home / SNAP]
    found = [folder for folder in places if _has_database(host, folder)]
    if not found and any(map(host.which, CHROMIUM_PROGRAMS)):
        found = places[:1]
    for folder in found:
        yield Nss(host, "Chromium and Chrome", folder)
    for folder in (home / other for other in FIREFOX):
        for name, profile in _profiles(folder, host.read(folder / "profiles.ini") or ""):
            if _has_database(host, profile):
                yield Nss(host, f"Firefox ({name})", profile)


def _has_database(host: Host, folder: Path) -> bool:
    return host.read(folder / "cert9.db") is not None


def _profiles(folder: Path, ini: str) -> Iterator[tuple[str, Path]]:
    """(name, folder) of each profile in a profiles.ini."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(ini)
    except configparser.Error:
        return
    for section in parser.sections():
        path = parser.get(section, "Path", fallback="")
        if section.startswith("Profile") and path:
            yield parser.get(section, "Name", fallback=path), folder / path
