"""Installs and removes Debian packages, and knows from which release each of them comes.

Only missing packages are installed, and installed ones are never changed. The file RECORD lists what was
added, so that `kindctl purge` removes exactly that. The file is needed because neither the engine nor a
cluster knows what was added. The file belongs to the machine, not to a user.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from kindctl.errors import MachineError, ToolError
from kindctl.machine.debian_sources import AptSource, archive, parse
from kindctl.models import Say
from kindctl.tools.protocols import Host

ENGINE = ("docker.io", "docker-cli", "docker-buildx", "tini", "iptables")
KIND = ("kind",)
DEBOOTSTRAP = ("debootstrap",)

FOREIGN: Mapping[str, Mapping[str, str]] = {
    # bookworm's engine, 20.10, cannot start privileged containers without CAP_SYS_RESOURCE, and has
    # no BuildKit plug-in; tini and iptables stay bookworm's own.
    "bookworm": {
        "docker.io": "trixie",
        "docker-cli": "trixie",
        "docker-buildx": "trixie",
        "kind": "sid",
    },
    "trixie": {"kind": "sid"},  # its own, 0.27, does not know Kubernetes 1.33 and later
}
"""Release of the machine -> package -> the later release that the package is installed from."""

PRIORITIES = {"trixie": 50, "sid": 40}
"""The priority is below 100, so apt installs from these releases only if they are named
(apt_preferences(5))."""

SOURCES = Path("/etc/apt/sources.list.d/kindctl.sources")
PREFERENCES = Path("/etc/apt/preferences.d/kindctl")

STATE = Path("/var/lib/kindctl")
RECORD = STATE / "setup.json"

APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
INSTALL = ("install", "-y", "--no-install-recommends", "--no-remove")
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True)
class Record:
    """What kindctl added to this machine."""

    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def plan(host: Host, packages: Iterable[str]) -> list[str]:
    """Return what `install` would do, as sentences.

    Raises MachineError if this machine has no usable package sources.
    """
    missing = _missing(host, packages)
    if not missing:
        return []
    sentences = []
    files = _files(host, missing)
    if any(host.read(path) != text for path, text in files.items()):
        sentences.append(
            f"add Debian {' and '.join(_suites(host))} at {' '.join(_own_archive(host).uris)} as package "
            f"sources (in {', '.join(str(path) for path in files)}); apt installs from them only if the "
            "release is named"
        )
    for origin, names in groupby(missing, lambda name: _origin(host, name) or _codename(host)):
        sentences.append(
            f"install {', '.join(names)} from Debian {origin}, with their dependencies"
        )
    return sentences


def install(host: Host, packages: Iterable[str], say: Say) -> None:
    """Install those of these packages that are missing.

    Raises MachineError (code packages) if the installation would change an installed package, and
    ToolError if apt-get fails.
    """
    missing = _missing(host, packages)
    if not missing:
        return
    wanted = [f"{name}/{origin}" if (origin := _origin(host, name)) else name for name in missing]
    if not _add_sources(host, missing):
        try:
            _install(host, wanted, say)
            return
        except ToolError:
            pass  # the package lists may be missing or outdated: update them below
    _apt(host, ["update"], say)
    _install(host, wanted, say)


def read_record(host: Host) -> Record:
    """Return what kindctl added to this machine. The record is empty if kindctl added nothing."""
    known = json.loads(host.read(RECORD) or "{}")
    return Record(tuple(known.get("packages", ())), tuple(known.get("files", ())))


def installed(host: Host, names: Iterable[str]) -> set[str]:
    """Return those of these packages that are installed, according to dpkg."""
    listing = host.run(["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\n"])
    present = {line.split("\t")[0] for line in listing.splitlines() if line.endswith("\tinstalled")}
    return present & set(names)


def dependents(host: Host, packages: Sequence[str]) -> list[str]:
    """Return the packages that depend on these, and that apt would therefore remove too."""
    lines = host.run([*APT, "-s", "-y", "purge", *packages]).splitlines()
    going = [match[1] for line in lines if (match := re.match(r"(?:Purg|Remv) ([^\s:]+)", line))]
    return sorted(set(going) - set(packages))


def remove(host: Host, packages: Sequence[str], say: Say, *, data: bool) -> None:
    """Remove packages. With `data`, also remove their programs' data, such as the engine's images."""
    present = sorted(installed(host, packages))
    if present:
        _apt(host, ["purge" if data else "remove", "-y", *present], say)


def remove_sources(host: Host, files: Iterable[str], say: Say) -> None:
    """Delete the files with package sources that kindctl has added, if they still exist."""
    gone = [path for path in map(Path, files) if host.read(path) is not None]
    for path in gone:
        host.delete(path)
        say(f"removed {path}")
    if gone:
        _apt(host, ["update"], say)


# --- the release and its sources -------------------------------------------------------------------


def _codename(host: Host) -> str:
    return host.os_release().get("VERSION_CODENAME", "")


def _foreign(host: Host) -> Mapping[str, str]:
    """Return the packages that this machine gets from a later release, as package -> later release."""
    if _codename(host) in FOREIGN:
        return FOREIGN[_codename(host)]
    # A later release, or testing or unstable, which os-release does not distinguish.
    if archive(_sources(host), ("sid", "unstable")):
        return {}
    return FOREIGN["trixie"]


def _origin(host: Host, package: str) -> str:
    """Return the later release that a package is installed from, or "" for the machine's own release."""
    return _foreign(host).get(package, "")


def _suites(host: Host) -> list[str]:
    """Return the later releases that packages are installed from, the oldest first."""
    return sorted(set(_foreign(host).values()), key=lambda suite: -PRIORITIES[suite])


def _sources(host: Host) -> list[AptSource]:
    """Return the package sources of this machine, except those that kindctl has added."""
    listing = host.run(
        ["find", "/etc/apt", "-maxdepth", "2", "-name", "*.list", "-o", "-name", "*.sources"]
    )
    return [
        source
        for name in sorted(listing.split())
        if Path(name) != SOURCES
        for source in parse(name, host.read(Path(name)) or "")
    ]


def _own_archive(host: Host) -> AptSource:
    names = (_codename(host), "stable", "oldstable", "testing", "unstable", "sid")
    found = archive(_sources(host), names)
    if found is None:
        raise MachineError(
            f"no package source for Debian {_codename(host)} main is configured",
            fix="add a Debian package source to /etc/apt/sources.list (https://wiki.debian.org/SourcesList)",
            code="packages",
        )
    return found


def _files(host: Host, packages: Iterable[str]) -> dict[Path, str]:
    """Return apt's configuration files for the later releases, as path -> text.

    There are none if these packages come from the machine's own release.
    """
    if not any(_origin(host, package) for package in packages):
        return {}
    suites = _suites(host)
    own = _own_archive(host)
    stanza = [
        "# Added by kindctl; `kindctl purge` removes it.",
        "Types: deb",
        f"URIs: {' '.join(own.uris)}",
        f"Suites: {' '.join(suites)}",
        "Components: main",
        # An outdated mirror is good enough, because only named packages are installed from it.
        "Check-Valid-Until: no",
    ]
    if own.signed_by:
        stanza.append(f"Signed-By: {own.signed_by}")
    pins = [
        f"Package: *\nPin: release n={suite}\nPin-Priority: {PRIORITIES[suite]}\n"
        for suite in suites
    ]
    return {SOURCES: "\n".join(stanza) + "\n", PREFERENCES: "\n".join(pins)}


def _add_sources(host: Host, packages: Iterable[str]) -> bool:
    """Write the missing configuration files of apt, and return whether any were missing.

    The priorities are written before the sources, because apt would upgrade every package if it knew the
    sources without the priorities.
    """
    files = _files(host, packages)
    wanted = {path: text for path, text in files.items() if host.read(path) != text}
    if wanted:
        _record(host, files=[str(path) for path in wanted])
    for path in sorted(wanted, key=lambda path: path != PREFERENCES):
        host.write(path, wanted[path])
    return bool(wanted)


# --- packages --------------------------------------------------------------------------------------


def _missing(host: Host, packages: Iterable[str]) -> list[str]:
    names = list(packages)
    present = installed(host, names)
    return [name for name in names if name not in present]


def would_install(host: Host, wanted: Sequence[str]) -> list[str]:
    """Return the packages that would be added. Raises MachineError if an installed one would change."""
    new: list[str] = []
    changed: list[str] = []
    for line in host.run([*APT, "-s", *INSTALL, *wanted], env=QUIETLY).splitlines():
        # Inst NAME[:ARCH] [OLD VERSION] (NEW VERSION ...); without the old version if there is none
        if match := re.match(r"Inst ([^\s:]+)\S* (\[[^]]+\] )?\(", line):
            (changed if match[2] else new).append(match[1])
    if changed:
        raise MachineError(
            f"installing {', '.join(wanted)} would change packages that are already installed",
            why=", ".join(changed),
            fix="if you accept these changes, run: "
            f"apt-get install --no-install-recommends {' '.join(wanted)}",
            code="packages",
        )
    return new


def _install(host: Host, wanted: Sequence[str], say: Say) -> None:
    """Record the packages, then install them, so that an installation that fails halfway can be undone.

    If the installation fails, packages that were not installed are removed from the record.
    """
    _record(host, packages=would_install(host, wanted))
    try:
        _apt(host, [*INSTALL, *wanted], say)
    except ToolError:
        known = read_record(host)
        _write_record(host, installed(host, known.packages), known.files)
        raise


def _apt(host: Host, arguments: Sequence[str], say: Say) -> None:
    host.run([*APT, *arguments], say=say, env=QUIETLY)


def _record(host: Host, *, packages: Iterable[str] = (), files: Iterable[str] = ()) -> None:
    known = read_record(host)
    _write_record(host, {*known.packages, *packages}, {*known.files, *files})


def _write_record(host: Host, packages: Iterable[str], files: Iterable[str]) -> None:
    record = {"packages": sorted(packages), "files": sorted(files)}
    host.write(RECORD, json.dumps(record, indent=2) + "\n")
