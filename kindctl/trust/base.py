"""What a store of trusted authorities is. One file per kind; stores.py finds those of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kindctl.models import Say
from kindctl.trust.authority import LocalCa


class Store(Protocol):
    """A place where programs look for the authorities that they trust."""

    @property
    def name(self) -> str:
        """Whose it is: "this system", "Firefox (work)"."""
        ...

    @property
    def place(self) -> str:
        """Where it lies."""
        ...

    def trusts(self, ca: LocalCa) -> bool | None:
        """None: it cannot be asked. Changes nothing, never raises."""
        ...

    def hindrance(self) -> str:
        """Why kindctl cannot change it; empty where it can."""
        ...

    def how(self, ca: LocalCa, *, remove: bool = False) -> Sequence[str]:
        """What a person would do in kindctl's place, to be pasted into a shell."""
        ...

    def add(self, ca: LocalCa, say: Say) -> None:
        """No error where it has it already. Raises ToolError."""
        ...

    def remove(self, ca: LocalCa, say: Say) -> None:
        """No error where it does not have it. Raises ToolError."""
        ...
