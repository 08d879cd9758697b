"""Keys and X.509 certificates: P-256, PEM, no file and no cluster.

Two authorities are made with it: one for each admission webhook (components/nginx/pki.py), whose key is
thrown away, and one for `https://localhost` (trust/authority.py), whose key stays on this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import (
        Certificate,
        CertificateBuilder,
        ExtendedKeyUsage,
        GeneralName,
        KeyUsage,
    )

SKEW = timedelta(hours=1)  # the clock of a node or a browser may be behind the host's
RENEW_BEFORE_END = timedelta(days=30)


@dataclass(frozen=True)
class Pair:
    """PEM of a certificate and of its key (PKCS#8, not encrypted)."""

    cert: bytes
    key: bytes


def new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def key_id(key: EllipticCurvePrivateKey) -> str:
    """Hexadecimal digits that tell keys apart: RFC 5280's subject key identifier."""
    from cryptography import x509

    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()


def authority(
    name: str,
    now: datetime,
    life: timedelta,
    *,
    key: EllipticCurvePrivateKey | None = None,
    only: Sequence[str] = (),
) -> Pair:
    """A CA that signs no other CA. `only`: names, and networks in CIDR notation, that its certificates
    may be for, written into it as a critical constraint (RFC 5280, 4.2.1.10); a name stands for all
    names below it too. Constrained, it may sign for TLS servers alone."""
    from cryptography import x509

    key = key or new_key()
    builder = (
        _builder(name, name, key, now, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if only:
        permitted = [_constraint(word) for word in only]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
        builder = builder.add_extension(_for_servers(), critical=False)
    return _signed(builder, key, key)


def certificate(ca: Pair, names: Sequence[str], now: datetime, end: datetime) -> Pair:
    """A TLS server's certificate, signed by `ca`, for host names and IP addresses. It ends with its CA,
    if that ends before."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    signer = x509.load_pem_x509_certificate(ca.cert)
    signing = load_pem_private_key(ca.key, None)
    if not isinstance(signing, EllipticCurvePrivateKey):
        raise ValueError("the CA's key is of another kind")
    (issuer,) = signer.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    key = new_key()
    builder = (
        _builder(str(issuer.value), names[0], key, now, min(end, signer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .add_extension(_for_servers(), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
    )
    return _signed(builder, key, signing)


def fault(ca: bytes, pair: Pair, names: Collection[str], now: datetime) -> str:
    """Why a client that trusts `ca` would not accept this for all of `names`; empty when it would, and
    for another 30 days."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        signer = x509.load_pem_x509_certificate(ca)
        cert = x509.load_pem_x509_certificate(pair.cert)
        key = load_pem_private_key(pair.key, None)
        has = names_in(cert)
        cert.verify_directly_issued_by(signer)
    except InvalidSignature:
        return "it is not signed by the CA"
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        return f"it cannot be read: {error}"
    if key.public_key() != cert.public_key():
        return "the key is another certificate's"
    if missing := set(names) - set(has):
        return f"it is not for {', '.join(sorted(missing))}"
    return ending(now, signer, cert)


def ending(now: datetime, *certificates: Certificate) -> str:
    """Whether one of them ends within 30 days: says when; else empty."""
    end = min(certificate.not_valid_after_utc for certificate in certificates)
    return f"it ends on {end:%Y-%m-%d}" if end - now < RENEW_BEFORE_END else ""


def names_in(cert: Certificate) -> list[str]:
    """Host names and IP addresses that it is for. Raises x509.ExtensionNotFound."""
    from cryptography import x509

    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def constraints_of(cert: Certificate) -> list[str]:
    """What a CA may sign for, as `authority` takes it in `only`; empty where nothing holds it. A
    constraint that is not critical, or leaves names or addresses open, counts as none."""
    from cryptography import x509

    try:
        found = cert.extensions.get_extension_for_class(x509.NameConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return []
    permitted = found.value.permitted_subtrees or []
    kinds = {type(name) for name in permitted}
    if not found.critical or not {x509.DNSName, x509.IPAddress} <= kinds:
        return []
    return [str(name.value) for name in permitted]


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_network(word)
    except ValueError:
        return False
    return True


def _constraint(word: str) -> GeneralName:
    from cryptography import x509

    return x509.IPAddress(ipaddress.ip_network(word)) if _is_address(word) else x509.DNSName(word)


def _name(word: str) -> GeneralName:
    from cryptography import x509

    return x509.IPAddress(ipaddress.ip_address(word)) if _is_address(word) else x509.DNSName(word)


def _builder(
    issuer: str, subject: str, key: EllipticCurvePrivateKey, now: datetime, end: datetime
) -> CertificateBuilder:
    from cryptography import x509

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .issuer_name(named(issuer))
        .subject_name(named(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(end)
    )


def _signed(
    builder: CertificateBuilder, key: EllipticCurvePrivateKey, signing: EllipticCurvePrivateKey
) -> Pair:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Pair(
        builder.sign(signing, SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _for_servers() -> ExtendedKeyUsage:
    from cryptography import x509

    return x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])


def _usage(*, ca: bool) -> KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
