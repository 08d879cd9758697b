"""The login keychain of macOS, for Safari, Chrome and curl. macOS asks the user before it is changed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa


@dataclass(frozen=True)
class Keychain:
    """A keychain, which security(1) reads and changes. Implements trust.base.Store."""

    host: Host
    file: Path
    name: str = "the login keychain"

    @property
    def place(self) -> str:
        return str(self.file)

    def trusts(self, ca: LocalCa) -> bool | None:
        """Return whether macOS accepts the certificate. A certificate in the keychain may still be
        untrusted."""
        try:
            self.host.run(["security", "verify-cert", "-c", str(ca.file), "-l", "-L", "-p", "ssl"])
        except KindctlError:
            return False
        return True

    def obstacle(self) -> str:
        return ""

    def commands(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        return tuple(map(shlex.join, self._commands(ca, remove=remove)))

    def change(self, ca: LocalCa, *, remove: bool = False) -> None:
        for command in self._commands(ca, remove=remove):
            self.host.run(command)

    def _commands(self, ca: LocalCa, *, remove: bool) -> list[list[str]]:
        if remove:
            return [
                ["security", "remove-trusted-cert", str(ca.file)],
                ["security", "delete-certificate", "-c", ca.name, self.place],
            ]
        add = ["security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl"]
        return [[*add, "-k", self.place, str(ca.file)]]


def keychain(host: Host, home: Path) -> Keychain | None:
    """Return the user's login keychain, or None if this is not macOS."""
    if host.which("security") is None or host.which("sw_vers") is None:
        return None
    return Keychain(host, home / "Library/Keychains/login.keychain-db")
