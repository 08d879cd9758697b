"""The certificate authority behind `https://localhost`.

Its key lies on this machine alone, readable by its user alone, and never goes into a cluster or a log.
What it signs is good for names of this machine only, by a constraint in its own certificate: whoever
stole the key could not pass for any other site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.paths import data_dir
from kindctl.tools.lock import hold
from kindctl.tools.protocols import LOCAL_CA_FILES, Host
from kindctl.trust.pki import Pair, authority, constraints_of, ending, key_id, new_key

ONLY = ("localhost", "127.0.0.0/8", "::1/128")
"""What it may sign for: `localhost` stands for all names below it too (RFC 6761 keeps them local)."""

LIFE = timedelta(days=3650)
NAME = "kindctl local CA"
END = "-----END CERTIFICATE-----"
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
        self.replaced_file = folder / "replaced.crt"
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
        """For a store: the certificate alone, which stores trust for as long as it lasts, whatever has
        become of its key. Raises KindctlError (local-ca) for one that is not held to this machine's
        names: no store shall ever get such a one from us."""
        pem = self._host.read(self.file)
        if pem is None:
            return None
        if fault := _fault(pem.encode()):
            raise self._not_ours(fault)
        return LocalCa(_name(pem), pem, self.file)

    def replaced(self) -> list[LocalCa]:
        """Those that `make` has made another one for, until forget(): stores may trust them still."""
        text = self._host.read(self.replaced_file) or ""
        pems = [f"{pem.strip()}\n{END}\n" for pem in text.split(END) if pem.strip()]
        found = [LocalCa(_name(pem), pem, self.file) for pem in pems if not _fault(pem.encode())]
        return [replace(ca, file=self.file.with_name(ca.file_name)) for ca in found]

    def known(self) -> list[LocalCa]:
        """Every one that a store may have got from us. Raises KindctlError (local-ca)."""
        ca = self.local()
        return [*([ca] if ca else []), *self.replaced()]

    def forget(self, gone: Sequence[LocalCa]) -> None:
        """Replaced ones that no store trusts any more."""
        names = {ca.name for ca in gone}
        self._keep([ca for ca in self.replaced() if ca.name not in names])
        for ca in gone:
            self._host.delete(ca.file)

    def _keep(self, cas: Sequence[LocalCa]) -> None:
        """Each in a file too: macOS takes files only."""
        for ca in cas:
            self._host.write(self.file.with_name(ca.file_name), ca.pem)
        if cas:
            self._host.write(self.replaced_file, "".join(ca.pem for ca in cas))
        else:
            self._host.delete(self.replaced_file)

    def make(self) -> bool:
        """False where there is a good one. One that is replaced is kept, so that stores can be told. The
        certificate is written last: without it, an interrupted one counts as none. Raises KindctlError."""
        with hold(LOCK, wait=LOCK_SECONDS):
            if not self.missing():
                return False
            if before := self.local():
                self._keep([*(ca for ca in self.replaced() if ca.name != before.name), before])
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
        if cert is None:
            return None, "there is none yet"
        if fault := _fault(cert.encode()):
            raise self._not_ours(fault)
        if key is None:
            return None, "its key is gone"
        pair = Pair(cert.encode(), key.encode())
        if fault := _fault_of_key(pair):
            raise self._not_ours(fault)
        end = _ending(pair, self.clock())
        return (None, end) if end else (pair, "")

    def _not_ours(self, fault: str) -> KindctlError:
        return KindctlError(
            f"{self.file} is not the certificate authority that kindctl made",
            why=fault,
            fix="if nobody needs it, remove it and let kindctl make one:\n"
            f"rm {self.file} {self.key_file}",
            code="local-ca",
        )


def _name(pem: str) -> str:
    from cryptography import x509

    subject = x509.load_pem_x509_certificate(pem.encode()).subject
    (name,) = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def _fault_of_key(pair: Pair) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pair.key, None)
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"
    own = x509.load_pem_x509_certificate(pair.cert).public_key()
    return "" if key.public_key() == own else "the key is another certificate's"


def _fault(pem: bytes) -> str:
    """Why this is not one of ours; empty when it is."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        cert = x509.load_pem_x509_certificate(pem)
        basic = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
        cert.verify_directly_issued_by(cert)
    except InvalidSignature:
        return "it is not signed by itself"
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        return f"it cannot be read: {error}"
    if not basic.ca or basic.path_length != 0:
        return "it may sign other authorities" if basic.ca else "it may not sign anything"
    if set(constraints_of(cert)) != set(ONLY):
        return f"it is not held to the names of this machine ({', '.join(ONLY)})"
    return ""


def _ending(pair: Pair, at: datetime) -> str:
    from cryptography import x509

    return ending(at, x509.load_pem_x509_certificate(pair.cert))
