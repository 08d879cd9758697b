"""Finds the trust stores of this machine and user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kindctl.paths import data_dir
from kindctl.tools.protocols import Host
from kindctl.trust.authority import Authority, LocalCa
from kindctl.trust.base import Store
from kindctl.trust.macos import keychain
from kindctl.trust.nss import nss_stores
from kindctl.trust.system import system_store


def find_stores(host: Host, home: Path) -> list[Store]:
    """Return the system's store, followed by those of the browsers that are found below `home`."""
    return [keychain(host, home) or system_store(host), *nss_stores(host, home, data_dir().parent)]


def trusted_by(host: Host, home: Path) -> list[str]:
    """Return the names of the stores that trust the local authority. Raises KindctlError (local-ca)."""
    ca = Authority(host).local()
    return _trusting(host, home, [ca] if ca else [])


def ever_trusted_by(host: Host, home: Path) -> list[str]:
    """Return the names of the stores that trust the local authority or an authority that it replaced.

    Raises KindctlError (local-ca).
    """
    return _trusting(host, home, Authority(host).known())


def _trusting(host: Host, home: Path, cas: Sequence[LocalCa]) -> list[str]:
    return [s.name for s in find_stores(host, home) if any(s.trusts(ca) for ca in cas)]
