"""What every store of trusted authorities that certutil keeps does: the fake certutil and the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.errors import ToolError
from kindctl.tools.host import RealHost
from kindctl.tools.protocols import Host
from kindctl.trust.authority import LocalCa
from kindctl.trust.nss import Nss
from tests.fakes.host import FakeHost
from tests.fakes.trust import Programs, an_authority

NAME = "kindctl local CA 1a2b3c4d"


@pytest.fixture
def host(flavour: str) -> Host:
    if flavour == "real":
        return RealHost()
    host = FakeHost()
    Programs(host)
    return host


@pytest.fixture
def ca(host: Host, tmp_path: Path) -> LocalCa:
    file = tmp_path / "ca.crt"
    host.write(file, an_authority().cert.decode())
    return LocalCa(NAME, an_authority().cert.decode(), file)


@pytest.fixture
def store(host: Host, tmp_path: Path) -> Nss:
    """Whose database is not there yet, in a folder with a blank in its name."""
    return Nss(host, "Chromium", tmp_path / "Application Support" / "nssdb")


def test_an_authority_is_trusted_once_it_is_added(store: Nss, ca: LocalCa) -> None:
    assert store.obstacle() == ""
    assert store.trusts(ca) is False
    store.change(ca)
    assert store.trusts(ca) is True
    store.change(ca)
    assert store.trusts(ca) is True


def test_removed_it_is_not(store: Nss, ca: LocalCa) -> None:
    store.change(ca, remove=True)
    store.change(ca)
    store.change(ca, remove=True)
    assert store.trusts(ca) is False
    store.change(ca, remove=True)


def test_what_is_there_without_being_trusted_does_not_count(
    store: Nss, ca: LocalCa, host: Host
) -> None:
    store.change(ca)
    listed = ["certutil", "-A", "-d", f"sql:{store.folder}", "-t", ",,", "-n", NAME]
    host.run([*listed, "-i", str(ca.file)])
    assert store.trusts(ca) is False


def test_another_authority_is_another(store: Nss, ca: LocalCa) -> None:
    store.change(ca)
    assert store.trusts(LocalCa("kindctl local CA 99999999", ca.pem, ca.file)) is False


def test_a_file_that_is_not_there_is_an_error(store: Nss, ca: LocalCa, tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        store.change(LocalCa(NAME, ca.pem, tmp_path / "none.crt"))
    assert store.trusts(ca) is False
