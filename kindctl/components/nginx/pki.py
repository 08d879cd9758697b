"""The certificate of the admission webhook, and the CA that signed it.

Made here rather than by upstream's two Jobs: the Secret is there before the pod that mounts it, and
nothing has to run in the cluster first. The CA's key is thrown away: a renewal makes both anew.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kindctl.models import Object, ObjectRef

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, KeyUsage

LIFE = timedelta(days=3650)
RENEW_BEFORE_END = timedelta(days=30)
SKEW = timedelta(hours=1)  # a node's clock may be behind the host's
KEYS = ("ca", "cert", "key")
"""Keys of the Secret, as upstream's Jobs name them. Each holds PEM."""


@dataclass(frozen=True)
class Pki:
    """PEM of the CA's certificate, the serving certificate and its key."""

    ca: bytes
    cert: bytes
    key: bytes

    @classmethod
    def read(cls, secret: Mapping[str, object] | None) -> Pki | None:
        """From the Secret as the API has it; None when it is not complete."""
        data = (secret or {}).get("data")
        if not isinstance(data, Mapping):
            return None
        try:
            return cls(*(base64.b64decode(data[key], validate=True) for key in KEYS))
        except (KeyError, binascii.Error):
            return None

    def secret(self, ref: ObjectRef) -> Object:
        values = zip(KEYS, (self.ca, self.cert, self.key), strict=True)
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "type": "Opaque",
            "data": {key: base64.b64encode(value).decode() for key, value in values},
        }

    @property
    def ca_bundle(self) -> str:
        """As a webhook configuration has it: base64 of the PEM."""
        return base64.b64encode(self.ca).decode()

    def fault(self, names: Sequence[str], now: datetime) -> str:
        """Why a client that trusts `ca` would not accept this for `names`; empty when it would, and
        for another 30 days."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            ca = x509.load_pem_x509_certificate(self.ca)
            cert = x509.load_pem_x509_certificate(self.cert)
            key = load_pem_private_key(self.key, None)
            sans = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            cert.verify_directly_issued_by(ca)
        except InvalidSignature:
            return "it is not signed by the CA"
        except (ValueError, TypeError, x509.ExtensionNotFound) as error:
            return f"it cannot be read: {error}"
        if key.public_key() != cert.public_key():
            return "the key is another certificate's"
        if missing := set(names) - set(sans.get_values_for_type(x509.DNSName)):
            return f"it is not for {', '.join(sorted(missing))}"
        if _ends(ca, cert) - now < RENEW_BEFORE_END:
            return f"it ends on {_ends(ca, cert):%Y-%m-%d}"
        return ""


def create(names: Sequence[str], now: datetime) -> Pki:
    """A CA and a serving certificate for `names`, P-256 both, valid for ten years from `now`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca_name, name = f"{names[0]} CA", names[0]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    ca = (
        _builder(ca_name, ca_name, ca_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )
    cert = (
        _builder(ca_name, name, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(signer, critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(san) for san in names]), critical=False
        )
        .sign(ca_key, SHA256())
    )
    return Pki(
        ca.public_bytes(Encoding.PEM),
        cert.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _builder(
    issuer: str, subject: str, key: EllipticCurvePrivateKey, now: datetime
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
        .not_valid_after(now + LIFE)
    )


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


def _ends(*certificates: Certificate) -> datetime:
    return min(certificate.not_valid_after_utc for certificate in certificates)
