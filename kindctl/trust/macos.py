"""The login keychain of macOS, which Safari, Chrome and curl read. It asks its owner for consent."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.models import Say
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa


@dataclass(frozen=True)
class Keychain:
    """See trust.base.Store, and security(1)."""

    host: Host
    file: Path
    name: str = "the login keychain"

    @property
    def place(self) -> str:
        return str(self.file)

    def trusts(self, ca: LocalCa) -> bool | None:
        """By its own verdict: a certificate can be in it without being trusted."""
        try:
            self.host.run(["security", "verify-cert", "-c", str(ca.file), "-l", "-L", "-p", "ssl"])
        except KindctlError:
            return False
        return True

    def hindrance(self) -> str:
        return ""

    def how(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        commands = self._remove(ca) if remove else (self._add(ca),)
        return tuple(shlex.join(command) for command in commands)

    def add(self, ca: LocalCa, say: Say) -> None:
        self.host.run(self._add(ca), say=say)

    def remove(self, ca: LocalCa, say: Say) -> None:
        for command in self._remove(ca):
            self.host.run(command, say=say)

    def _add(self, ca: LocalCa) -> tuple[str, ...]:
        keychain = str(self.file)
        return (
            *("security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl"),
            *("-k", keychain, str(ca.file)),
        )

    def _remove(self, ca: LocalCa) -> tuple[tuple[str, ...], ...]:
        return (
            ("security", "remove-trusted-cert", str(ca.file)),
            ("security", "delete-certificate", "-c", ca.name, str(self.file)),
        )


def keychain(host: Host, home: Path) -> Keychain | None:
    """None on other systems."""
    if host.which("security") is None or host.which("sw_vers") is None:
        return None
    return Keychain(host, home / "Library/Keychains/login.keychain-db")
