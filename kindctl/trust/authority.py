"""The certificate authority behind `https://localhost`.

The authority's key stays on this machine. Only its user can read it; no cluster or log contains it. A
constraint in its certificate limits it to names of this machine, so even a stolen key could not impersonate
other sites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kindctl.errors import KindctlError
from kindctl.paths import data_dir
from kindctl.tools.lock import hold
from kindctl.tools.protocols import LOCAL_CA_FILES, Host
from kindctl.trust.pki import (
    Pair,
    authority,
    common_name,
    constraints_of,
    expiry,
    key_id,
    key_mismatch,
    new_key,
)

ONLY = ("localhost", "127.0.0.0/8", "::1/128")
"""The names and networks that the authority may sign for. `localhost` includes all subdomains, which are
local by RFC 6761."""

LIFE = timedelta(days=3650)
NAME = "kindctl local CA"
END = "-----END CERTIFICATE-----"
LOCK = "local-CA"  # names of environments have no capitals, so none has this lock
LOCK_SECONDS = 30.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LocalCa:
    """The certificate of a local authority, as trust stores need it."""

    name: str  # the subject, which is unique: "kindctl local CA 1a2b3c4d"
    pem: str
    file: Path

    @property
    def file_name(self) -> str:
        """The name for the certificate's file in a trust store's folder, which may contain other files."""
        return f"{LOCAL_CA_FILES}{self.name.rpartition(' ')[2]}.crt"


class Authority:
    """The authority's files in kindctl's data folder. They outlive `down`; `purge` removes them.

    Methods that read the files raise KindctlError (code local-ca) if kindctl did not make them.
    """

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
        """Return the certificate and its key, or None if they are missing or expire soon."""
        return self._read()[0]

    def missing(self) -> str:
        """Return why `make` would make a new authority, or "" if there is a valid one."""
        return self._read()[1]

    def pem(self) -> str | None:
        """Return the certificate as PEM, or None if `pair` returns None."""
        pair = self.pair()
        return pair.cert.decode() if pair else None

    def local(self) -> LocalCa | None:
        """Return the certificate that trust stores need, or None if no authority exists.

        The key may be missing, because stores trust the certificate until it expires. Raises KindctlError
        if the certificate is not limited to this machine's names: kindctl must never add that to a store.
        """
        pem = self._host.read(self.file)
        if pem is None:
            return None
        self._refuse(_why_not_ours(pem.encode()))
        return _local_ca(pem, self.file)

    def replaced(self) -> list[LocalCa]:
        """Return the authorities that `make` has replaced and that stores may still trust."""
        text = self._host.read(self.replaced_file) or ""
        pems = [f"{pem.strip()}\n{END}\n" for pem in text.split(END) if pem.strip()]
        found = [_local_ca(pem, self.file) for pem in pems if not _why_not_ours(pem.encode())]
        return [replace(ca, file=self.file.with_name(ca.file_name)) for ca in found]

    def known(self) -> list[LocalCa]:
        """Return all authorities that kindctl may have added to a store: the current and replaced ones."""
        ca = self.local()
        return [*([ca] if ca else []), *self.replaced()]

    def drop_replaced(self, gone: Sequence[LocalCa]) -> None:
        """Delete the files of `gone`, the replaced authorities that no store trusts any more."""
        names = {ca.name for ca in gone}
        self._keep([ca for ca in self.replaced() if ca.name not in names])
        for ca in gone:
            self._host.delete(ca.file)

    def _keep(self, cas: Sequence[LocalCa]) -> None:
        """Write the list of replaced authorities, and one file for each. security(1) on macOS needs these
        files."""
        for ca in cas:
            self._host.write(self.file.with_name(ca.file_name), ca.pem)
        if cas:
            self._host.write(self.replaced_file, "".join(ca.pem for ca in cas))
        else:
            self._host.delete(self.replaced_file)

    def make(self) -> bool:
        """Make an authority if there is no valid one, and return whether one was made.

        The replaced certificate is kept, so that it can be removed from stores. The new certificate is
        written last: if `make` is interrupted before that, there is no authority.
        """
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

    def _read(self) -> tuple[Pair | None, str]:
        """Return the valid authority and "", or None and the reason why a new one is needed."""
        cert, key = self._host.read(self.file), self._host.read(self.key_file)
        if cert is None:
            return None, "no authority exists yet"
        self._refuse(_why_not_ours(cert.encode()))
        if key is None:
            return None, "the authority's key is missing"
        pair = Pair(cert.encode(), key.encode())
        self._refuse(key_mismatch(pair))
        expires = expiry(self.clock(), x509.load_pem_x509_certificate(pair.cert))
        return (None, expires) if expires else (pair, "")

    def _refuse(self, why: str) -> None:
        """Raise KindctlError if `why`, the reason why the files cannot be kindctl's, is not empty."""
        if why:
            raise KindctlError(
                f"{self.file} is not the certificate authority that kindctl made",
                why=why,
                fix="if nothing else needs these files, delete them; kindctl then makes new ones:\n"
                f"rm {self.file} {self.key_file}",
                code="local-ca",
            )


def _local_ca(pem: str, file: Path) -> LocalCa:
    return LocalCa(common_name(x509.load_pem_x509_certificate(pem.encode())), pem, file)


def _why_not_ours(pem: bytes) -> str:
    """Return why kindctl cannot have made this authority, or "" if it may have."""
    try:
        cert = x509.load_pem_x509_certificate(pem)
        basic = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
        cert.verify_directly_issued_by(cert)
    except InvalidSignature:
        return "the certificate is not self-signed"
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        return f"the certificate cannot be read: {error}"
    if not basic.ca or basic.path_length != 0:
        may = "may sign other authorities" if basic.ca else "may not sign anything"
        return f"the certificate {may}"
    if set(constraints_of(cert)) != set(ONLY):
        return f"the certificate is not limited to the names of this machine ({', '.join(ONLY)})"
    return ""
