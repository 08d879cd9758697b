"""The stores of this machine and user."""

from __future__ import annotations

from pathlib import Path

from kindctl.paths import data_dir
from kindctl.tools.protocols import Host
from kindctl.trust.authority import Authority
from kindctl.trust.base import Store
from kindctl.trust.macos import keychain
from kindctl.trust.nss import nss_stores
from kindctl.trust.system import system_store


def find_stores(host: Host, home: Path) -> list[Store]:
    """The system's first, then the browsers' that there are."""
    return [keychain(host, home) or system_store(host), *nss_stores(host, home, data_dir().parent)]


def trusted_by(host: Host, home: Path) -> list[str]:
    """Names of the stores that trust the local authority. Raises KindctlError (local-ca)."""
    ca = Authority(host).local()
    return [store.name for store in find_stores(host, home) if store.trusts(ca)] if ca else []
