"""The stores of this machine and user."""

from __future__ import annotations

from pathlib import Path

from kindctl.tools.protocols import Host
from kindctl.trust.base import Store
from kindctl.trust.macos import keychain
from kindctl.trust.nss import nss_stores
from kindctl.trust.system import system_store


def find_stores(host: Host, home: Path) -> list[Store]:
    """The system's first, then the browsers' that there are."""
    return [keychain(host, home) or system_store(host), *nss_stores(host, home)]
