"""What RealHost reads of the machine: routes and trusted certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.tools import host
from kindctl.tools.host import RealHost, parse_routes, pem_certificates
from tests.support.certificates import authority, other_authority

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def test_routes_are_read_without_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.byteorder", "little")
    assert parse_routes(ROUTES) == ("172.17.0.0/16", "192.0.2.0/24")
    assert parse_routes("") == ()


def test_of_a_file_only_its_certificates_are_taken() -> None:
    first, second = authority().certificate, other_authority().certificate
    assert pem_certificates(f"# ours\n{first}junk\n{second}") == first + second
    assert "PRIVATE" not in pem_certificates(authority().server)
    assert pem_certificates(authority().server).count("BEGIN CERTIFICATE") == 1
    assert pem_certificates(first.replace("\n", "\r\n")) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not PEM",
        "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
        "-----BEGIN TRUSTED CERTIFICATE-----\nMIIB\n-----END TRUSTED CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_left_out(text: str) -> None:
    assert pem_certificates(text) == ""


def test_the_administrators_cas_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = authority().certificate
    debian, fedora = tmp_path / "debian", tmp_path / "fedora"
    (debian / "company").mkdir(parents=True)
    fedora.mkdir()
    (debian / "proxy.crt").write_text(certificate)
    (debian / "company" / "root.crt").write_text(certificate + other_authority().certificate)
    (debian / "README").write_text(certificate)
    (debian / "broken.crt").write_text("nothing")
    (debian / "kindctl-local-ca-1a2b3c4d.crt").write_text(certificate)  # by `kindctl trust`
    (fedora / "anchor.pem").write_text(certificate)
    folders = (str(debian), str(fedora), str(tmp_path / "none"))
    monkeypatch.setattr(host, "CA_FOLDERS", folders)
    assert RealHost().trusted_cas() == {
        "proxy.crt": certificate,
        "company-root.crt": certificate + other_authority().certificate,
        "anchor.crt": certificate,
    }
