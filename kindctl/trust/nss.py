"""NSS databases: the trust stores of browsers on Linux, which do not use the system's store.

Chromium and browsers based on it have one database per user, Firefox has one per profile. The program
certutil (package libnss3-tools) changes them. A browser reads its database when it starts.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa

CERTUTIL = "certutil"
INSTALL_CERTUTIL = "sudo apt-get install libnss3-tools   # Fedora: nss-tools, macOS: nss"
CHROMIUM = ".pki/nssdb"
"""Chromium's database folder, below the home folder. If this folder does not exist, Chromium 156 (of 2026)
uses a folder in XDG's data folder instead. Chromium switches to this folder as soon as it exists."""

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
"""Folders below the home folder in which Firefox may have its profiles.ini."""

TRUSTED = "C,,"
"""Flags of certutil(1): trust an authority for TLS servers, but not for mail or code."""


@dataclass(frozen=True)
class Nss:
    """An NSS database in `folder`, which may not exist yet. Implements trust.base.Store."""

    host: Host
    name: str
    folder: Path

    @property
    def place(self) -> str:
        return str(self.folder)

    def trusts(self, ca: LocalCa) -> bool | None:
        if not _has_database(self.host, self.folder):
            return False
        try:
            listed = self.host.run(self._certutil("-L"))
        except KindctlError:
            return None
        return any(_is_trusted(line, ca.name) for line in listed.splitlines())

    def obstacle(self) -> str:
        return "" if self.host.which(CERTUTIL) else f"{CERTUTIL} is not installed"

    def commands(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        install = (INSTALL_CERTUTIL,) if self.obstacle() else ()
        return (*install, *map(shlex.join, self._commands(ca, remove=remove)))

    def change(self, ca: LocalCa, *, remove: bool = False) -> None:
        if remove and self.trusts(ca) is False:
            return
        for command in self._commands(ca, remove=remove):
            self.host.run(command)

    def _commands(self, ca: LocalCa, *, remove: bool) -> list[list[str]]:
        if remove:
            return [self._certutil("-D", "-n", ca.name)]
        add = self._certutil("-A", "-t", TRUSTED, "-n", ca.name, "-i", str(ca.file))
        if _has_database(self.host, self.folder):
            return [add]
        make = ["mkdir", "-p", "-m", "0700", str(self.folder)]
        return [make, self._certutil("-N", "--empty-password"), add]

    def _certutil(self, action: str, *arguments: str) -> list[str]:
        return [CERTUTIL, action, "-d", f"sql:{self.folder}", *arguments]


def _is_trusted(line: str, name: str) -> bool:
    """Return whether a line of `certutil -L` (name, spaces, flags) says that `name` is trusted."""
    found = re.fullmatch(r"(.+?)\s+([a-zA-Z]*),([a-zA-Z]*),([a-zA-Z]*)\s*", line)
    return bool(found and found[1] == name and "C" in found[2])


def nss_stores(host: Host, home: Path, data: Path) -> Iterator[Nss]:
    """Yield the databases of Chromium and Firefox. `data` is XDG's data folder.

    If Chromium is installed but has no database yet, yield the database that Chromium would use.
    """
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
    """Yield the name and the folder of each profile in the text of a profiles.ini."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(ini)
    except configparser.Error:
        return
    for section in parser.sections():
        path = parser.get(section, "Path", fallback="")
        if section.startswith("Profile") and path:
            yield parser.get(section, "Name", fallback=path), folder / path
