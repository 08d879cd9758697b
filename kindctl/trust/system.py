"""The trust store of a Linux distribution.

It consists of a folder for certificates, and a program that copies them into the bundle that curl, git,
Python and many others read.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa


@dataclass(frozen=True)
class Layout:
    """Where a distribution keeps certificates, and the commands that rebuild its bundle."""

    folder: Path
    add: tuple[str, ...]  # command after a file was added
    remove: tuple[str, ...]  # command after a file was removed
    bundle: Path


LAYOUTS = (
    Layout(  # Debian, Ubuntu, Alpine: update-ca-certificates(8)
        Path("/usr/local/share/ca-certificates"),
        ("update-ca-certificates",),
        ("update-ca-certificates", "--fresh"),  # without --fresh a dangling link stays
        Path("/etc/ssl/certs/ca-certificates.crt"),
    ),
    Layout(  # Fedora, RHEL: update-ca-trust(8)
        Path("/etc/pki/ca-trust/source/anchors"),
        ("update-ca-trust", "extract"),
        ("update-ca-trust", "extract"),
        Path("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    ),
    Layout(  # Arch: update-ca-trust(8)
        Path("/etc/ca-certificates/trust-source/anchors"),
        ("update-ca-trust", "extract"),
        ("update-ca-trust", "extract"),
        Path("/etc/ca-certificates/extracted/tls-ca-bundle.pem"),
    ),
)


@dataclass(frozen=True)
class SystemStore:
    """The system's trust store. Implements trust.base.Store."""

    host: Host
    layout: Layout
    name: str = "this system"

    @property
    def place(self) -> str:
        return str(self.layout.folder)

    def trusts(self, ca: LocalCa) -> bool | None:
        """Return whether the bundle contains the certificate. Programs read only the bundle."""
        try:
            bundle = self.host.read(self.layout.bundle)
        except KindctlError:
            return None
        return _body(ca.pem) in "".join((bundle or "").split())

    def obstacle(self) -> str:
        program = self.layout.add[0]
        if self.host.which(program) is None:
            return f"{program} is not installed"
        return "" if self.host.is_root() else "only root may change this store"

    def commands(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        target = shlex.quote(str(self._file(ca)))
        if remove:
            return (f"sudo rm -f {target}", f"sudo {shlex.join(self.layout.remove)}")
        source = shlex.quote(str(ca.file))
        return (f"sudo install -m 0644 {source} {target}", f"sudo {shlex.join(self.layout.add)}")

    def change(self, ca: LocalCa, *, remove: bool = False) -> None:
        if remove:
            self.host.delete(self._file(ca))
        else:
            self.host.write(self._file(ca), ca.pem)
        self.host.run(self.layout.remove if remove else self.layout.add)

    def _file(self, ca: LocalCa) -> Path:
        return self.layout.folder / ca.file_name


def system_store(host: Host) -> SystemStore:
    """Return this machine's store. If its layout is unknown, use Debian's layout, so that messages name
    paths."""
    for layout in LAYOUTS:
        if host.which(layout.add[0]) and host.read(layout.bundle) is not None:
            return SystemStore(host, layout)
    return SystemStore(host, LAYOUTS[0])


def _body(pem: str) -> str:
    """Return a certificate's base64 text without its line breaks, which distributions place differently."""
    lines = [line.strip() for line in pem.strip().splitlines()]
    return "".join(line for line in lines if not line.startswith("-----"))
