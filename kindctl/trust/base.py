"""The interface of a trust store. There is one file per kind of store; stores.py finds this machine's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kindctl.trust.authority import LocalCa


class Store(Protocol):
    """A place where programs look for the certificate authorities that they trust."""

    @property
    def name(self) -> str:
        """The store's name in messages: "this system", "Firefox (work)"."""

    @property
    def place(self) -> str:
        """The path of the store."""

    def trusts(self, ca: LocalCa) -> bool | None:
        """Return whether the store trusts `ca`, or None if that is unknown. Changes nothing and never
        raises."""

    def obstacle(self) -> str:
        """Return why kindctl cannot change this store, or "" if it can."""

    def commands(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        """Return the shell commands with which the user can add or remove `ca` without kindctl."""

    def change(self, ca: LocalCa, *, remove: bool = False) -> None:
        """Add or remove `ca`, unless that has been done already. Raises ToolError."""
