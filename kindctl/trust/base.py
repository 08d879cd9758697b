"""The interface of a trust store. There is one file per kind of store; stores.py finds this machine's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kindctl.trust.authority import LocalCa


class Store(Protocol):
    """A place where programs look for the certificate authorities that they trust."""

    @property
    def name(self) -> str:
        """Whose store it is, as messages say it: "this system", "Firefox (work)"."""

    @property
    def place(self) -> str:
        """The path of the store."""

    def trusts(self, ca: LocalCa) -> bool | None:
        """Whether the store trusts `ca`; None if it cannot tell. Changes nothing and never raises."""

    def obstacle(self) -> str:
        """Why kindctl cannot change this store; empty if it can."""

    def commands(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        """The shell commands with which the user can add or remove `ca` instead of kindctl."""

    def change(self, ca: LocalCa, *, remove: bool = False) -> None:
        """Add or remove `ca`. It is no error if that has been done already. Raises ToolError."""
