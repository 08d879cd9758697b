"""Makes and checks keys (P-256) and X.509 certificates, as PEM. Does not access files or clusters.

There are two kinds of authority: one for each admission webhook (components/nginx/pki.py), whose key is not
kept, and the one for `https://localhost` (trust/authority.py), whose key stays on this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

SKEW = timedelta(hours=1)  # how far the clock of a node or browser may be behind the host's
RENEW_BEFORE_END = timedelta(days=30)
FOR_SERVERS = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both as PEM; the key is PKCS#8 and not encrypted."""

    cert: bytes
    key: bytes


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_id(key: ec.EllipticCurvePrivateKey) -> str:
    """Return hexadecimal digits that identify a key: the subject key identifier of RFC 5280."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()


def authority(
    name: str,
    now: datetime,
    life: timedelta,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    only: Sequence[str] = (),
) -> Pair:
    """Make a certificate authority that cannot sign other authorities.

    `only` lists what the authority may sign for: host names, including their subdomains, and networks in
    CIDR notation. The entries become a critical name constraint (RFC 5280, 4.2.1.10), and such an authority
    may sign only for TLS servers.
    """
    key = key or new_key()
    builder = (
        _builder(name, name, key, now, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if only:
        permitted = [_general_name(word, network=True) for word in only]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
        builder = builder.add_extension(FOR_SERVERS, critical=False)
    return _signed(builder, key, key)


def certificate(ca: Pair, names: Sequence[str], now: datetime, end: datetime) -> Pair:
    """Make a TLS server certificate for host names and IP addresses, signed by `ca`.

    The certificate is valid until `end`, or until the CA expires if the CA expires earlier.
    """
    signer = x509.load_pem_x509_certificate(ca.cert)
    signing = load_pem_private_key(ca.key, None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise ValueError("the CA's key is not an elliptic-curve key")
    key = new_key()
    builder = (
        _builder(common_name(signer), names[0], key, now, min(end, signer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .add_extension(FOR_SERVERS, critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
    )
    return _signed(builder, key, signing)


def rejection(ca: bytes, pair: Pair, names: Collection[str], now: datetime) -> str:
    """Return why a client that trusts `ca` would reject this certificate for one of `names`.

    The certificate must stay valid for 30 days. Returns "" if such a client accepts it.
    """
    try:
        signer = x509.load_pem_x509_certificate(ca)
        cert = x509.load_pem_x509_certificate(pair.cert)
        own_names = names_in(cert)
        cert.verify_directly_issued_by(signer)
    except InvalidSignature:
        return "the certificate is not signed by the CA"
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        return f"the certificate cannot be read: {error}"
    if mismatch := key_mismatch(pair):
        return mismatch
    if missing := set(names) - set(own_names):
        return f"the certificate is not valid for {', '.join(sorted(missing))}"
    return expiry(now, signer, cert)


def key_mismatch(pair: Pair) -> str:
    """Return why the key does not belong to the certificate, or "" if it does."""
    try:
        key = load_pem_private_key(pair.key, None)
    except (ValueError, TypeError) as error:
        return f"the key cannot be read: {error}"
    own = x509.load_pem_x509_certificate(pair.cert).public_key()
    return "" if key.public_key() == own else "the key belongs to another certificate"


def expiry(now: datetime, *certificates: x509.Certificate) -> str:
    """Return when the first of these certificates expires, or "" if none expires within 30 days."""
    end = min(certificate.not_valid_after_utc for certificate in certificates)
    return f"the certificate expires on {end:%Y-%m-%d}" if end - now < RENEW_BEFORE_END else ""


def names_in(cert: x509.Certificate) -> list[str]:
    """Return the host names and IP addresses of a certificate. Raises x509.ExtensionNotFound."""
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def common_name(cert: x509.Certificate) -> str:
    (name,) = cert.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def constraints_of(cert: x509.Certificate) -> list[str]:
    """Return what an authority is restricted to, in the form of the argument `only` of `authority`.

    The list is empty if the authority is not restricted. It is also empty if the constraint is not
    critical, or if the constraint restricts only host names or only addresses.
    """
    try:
        found = cert.extensions.get_extension_for_class(x509.NameConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return []
    permitted = found.value.permitted_subtrees or []
    kinds = {type(name) for name in permitted}
    if not found.critical or not {x509.DNSName, x509.IPAddress} <= kinds:
        return []
    return [str(name.value) for name in permitted]


def _general_name(text: str, *, network: bool = False) -> x509.GeneralName:
    """Return a text as an X.509 name: an IP address or a host name, or a network if `network` is set."""
    try:
        return x509.IPAddress(ipaddress.ip_network(text) if network else ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    issuer: str, subject: str, key: ec.EllipticCurvePrivateKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
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
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
) -> Pair:
    return Pair(
        builder.sign(signing, SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
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
