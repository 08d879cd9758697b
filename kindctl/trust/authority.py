"""The certificate authority behind `https://localhost`.

Its key lies on this machine alone, readable by its user alone, and never goes into a cluster or a log.
What it signs is good for names of this machine only, by a constraint in its own certificate: whoever
stole the key could not pass for any other site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.paths import data_dir
from kindctl.pki import Pair, authority, constraints_of, ending, key_id, new_key
from kindctl.tools.lock import hold
from kindctl.tools.protocols import LOCAL_CA_FILES, Host

ONLY = ("localhost", "127.0.0.0/8", "::1/128")
"""What it may sign for: `localhost` stands for all names below it too (RFC 6761 keeps them local)."""

LIFE = timedelta(days=3650)
NAME = "kindctl local CA"
LOCK = "local-CA"  # no environment's name has capitals
LOCK_SECONDS = 30.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LocalCa:
    """Its certificate, as stores of trusted authorities want it."""

    name: str  # "kindctl local CA 1a2b3c4d", its subject: each has its own
    pem: str
    file: Path

    @property
    def file_name(self) -> str:
        """In a folder that others use too."""
        return f"{LOCAL_CA_FILES}{self.name.rpartition(' ')[2]}.crt"


class Authority:
    """The files in kindctl's data folder. They outlive `down`; `purge` removes them."""

    def __init__(
        self, host: Host, folder: Path | None = None, clock: Callable[[], datetime] | None = None
    ) -> None:
        folder = folder or data_dir() / "ca"
        self.file = folder / "ca.crt"
        self.key_file = folder / "ca.key"
        self.clock = clock or now
        self._host = host

    def pair(self) -> Pair | None:
        """With the key; None where there is none that `make` would leave. Raises KindctlError
        (local-ca)."""
        return self._look()[0]

    def missing(self) -> str:
        """Why `make` would make one; empty where there is a good one. Raises KindctlError (local-ca)."""
        return self._look()[1]

    def pem(self) -> str | None:
        """The certificate alone, where there is a good one. Raises KindctlError (local-ca)."""
        pair = self.pair()
        return pair.cert.decode() if pair else None

    def local(self) -> LocalCa | None:
        """For a store. Raises KindctlError (local-ca) for one that is not held to this machine's
        names: no store shall ever get such a one from us."""
        from cryptography import x509

        pem = self.pem()
        if pem is None:
            return None
        subject = x509.load_pem_x509_certificate(pem.encode()).subject
        (name,) = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return LocalCa(str(name.value), pem, self.file)

    def make(self) -> bool:
        """False where there is a good one. The certificate is written last: without it, an interrupted
        one counts as none. Raises KindctlError."""
        with hold(LOCK, wait=LOCK_SECONDS):
            if not self.missing():
                return False
            key = new_key()
            name = f"{NAME} {key_id(key)[:8]}"
            made = authority(name, self.clock(), LIFE, key=key, only=ONLY)
            self._host.delete(self.file)
            self._host.write(self.key_file, made.key.decode(), 0o600)
            self._host.write(self.file, made.cert.decode())
            return True

    def _look(self) -> tuple[Pair | None, str]:
        """(what is there, why a new one is to be made)"""
        cert, key = self._host.read(self.file), self._host.read(self.key_file)
        if cert is None or key is None:
            return None, "there is none yet" if cert is None else "its key is gone"
        pair = Pair(cert.encode(), key.encode())
        if fault := _fault(pair):
            raise KindctlError(
                f"{self.file} is not the certificate authority that kindctl made",
                why=fault,
                fix="if nobody needs it, remove it and let kindctl make one:\n"
                f"rm {self.file} {self.key_file}",
                code="local-ca",
            )
        end = _ending(pair, self.clock())
        return (None, end) if end else (pair, "")


def _fault(pair: Pair) -> str:
    """Why this is not one of ours; empty when it is."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        cert = x509.load_pem_x509_certificate(pair.cert)
        key = load_pem_private_key(pair.key, None)
        basic = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
        cert.verify_directly_issued_by(cert)
    except InvalidSignature:
        return "it is not signed by itself"
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        return f"it cannot be read: {error}"
    if key.public_key() != cert.public_key():
        return "the key is another certificate's"
    if not basic.ca or basic.path_length != 0:
        return "it may sign other authorities" if basic.ca else "it may not sign anything"
    if set(constraints_of(cert)) != set(ONLY):
        return f"it is not held to the names of this machine ({', '.join(ONLY)})"
    return ""


def _ending(pair: Pair, at: datetime) -> str:
    from cryptography import x509

    return ending(at, x509.load_pem_x509_certificate(pair.cert))
