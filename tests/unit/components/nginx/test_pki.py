"""The webhook's certificate: what a client accepts, and when another one is made."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from kindctl.components.nginx.pki import LIFE, Pki, create
from kindctl.models import ObjectRef

NAMES = ("admission", "admission.ingress.svc")
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
REF = ObjectRef("v1", "Secret", "admission", "ingress")


@pytest.fixture(scope="module")
def pki() -> Pki:
    return create(NAMES, NOW)


def test_it_is_a_p256_certificate_for_the_service_signed_by_its_ca(pki: Pki) -> None:
    ca = x509.load_pem_x509_certificate(pki.ca)
    cert = x509.load_pem_x509_certificate(pki.cert)
    cert.verify_directly_issued_by(ca)
    for certificate in (ca, cert):
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(NAMES)
    assert cert.not_valid_before_utc < NOW < cert.not_valid_after_utc


def test_a_verifier_of_certificates_accepts_it_for_each_name(pki: Pki) -> None:
    ca = x509.load_pem_x509_certificate(pki.ca)
    cert = x509.load_pem_x509_certificate(pki.cert)
    policy = PolicyBuilder().store(Store([ca])).time(NOW)
    for name in NAMES:
        assert policy.build_server_verifier(x509.DNSName(name)).verify(cert, []) == [cert, ca]
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("elsewhere")).verify(cert, [])


def test_two_are_never_the_same(pki: Pki) -> None:
    other = create(NAMES, NOW)
    assert other.key != pki.key
    assert other.ca != pki.ca


def test_what_is_put_into_a_secret_is_read_from_it(pki: Pki) -> None:
    secret = pki.secret(REF)
    assert sorted(secret["data"]) == ["ca", "cert", "key"]
    assert base64.b64decode(secret["data"]["ca"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert Pki.read(secret) == pki
    assert base64.b64decode(pki.ca_bundle) == pki.ca


@pytest.mark.parametrize(
    "secret",
    [
        None,
        {},
        {"data": None},
        {"data": {"ca": "", "cert": ""}},
        {"data": {"ca": "&", "cert": "", "key": ""}},
    ],
)
def test_an_incomplete_secret_is_no_certificate(secret: dict[str, object] | None) -> None:
    assert Pki.read(secret) is None


def test_a_good_one_has_no_fault_until_30_days_before_its_end(pki: Pki) -> None:
    end = NOW + LIFE
    assert pki.reason_to_renew(NAMES, NOW) == ""
    assert pki.reason_to_renew(NAMES[:1], NOW) == ""
    assert pki.reason_to_renew(NAMES, end - timedelta(days=31)) == ""
    assert (
        pki.reason_to_renew(NAMES, end - timedelta(days=29))
        == f"the certificate expires on {end:%Y-%m-%d}"
    )
    assert (
        pki.reason_to_renew(NAMES, end + timedelta(days=1))
        == f"the certificate expires on {end:%Y-%m-%d}"
    )


def test_faults_are_found(pki: Pki) -> None:
    other = create(NAMES, NOW)
    assert pki.reason_to_renew(("elsewhere",), NOW) == "the certificate is not valid for elsewhere"
    assert (
        replace(pki, ca=other.ca).reason_to_renew(NAMES, NOW)
        == "the certificate is not signed by the CA"
    )
    assert (
        replace(pki, key=other.key).reason_to_renew(NAMES, NOW)
        == "the key belongs to another certificate"
    )
    assert "cannot be read" in replace(pki, cert=b"no PEM").reason_to_renew(NAMES, NOW)
    assert "cannot be read" in replace(pki, key=b"").reason_to_renew(NAMES, NOW)
    assert "cannot be read" in replace(pki, cert=pki.ca).reason_to_renew(
        NAMES, NOW
    )  # it names no host
