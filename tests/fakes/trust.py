"""A local certificate authority in the memory of a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from kindctl.tools.protocols import Host
from kindctl.trust.authority import ONLY, Authority
from kindctl.trust.pki import Pair, authority
from kindctl.trust.serving import Serving
from tests.fakes.host import Failed, FakeHost

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOME = Path("/home/ada")
FOLDER = HOME / ".local/share/kindctl/ca"


@cache
def an_authority() -> Pair:
    """Always the same, as that of one machine is."""
    return authority("kindctl local CA 1a2b3c4d", NOW, timedelta(days=3650), only=ONLY)


def with_authority(
    host: Host, *, made: Pair | None = None, clock: Callable[[], datetime] = lambda: NOW
) -> Authority:
    """Written where `Authority.make` writes it, without its lock on a real file."""
    pair = made or an_authority()
    found = Authority(host, FOLDER, clock)
    host.write(found.key_file, pair.key.decode(), 0o600)
    host.write(found.file, pair.cert.decode())
    return found


def serving(*hosts: str) -> Serving:
    return Serving(with_authority(FakeHost()), lambda: hosts)


class Programs:
    """Debian's `update-ca-certificates` and NSS' `certutil` on the files of a FakeHost.

    A database is kept as text in its cert9.db: one line a certificate, its name and its flags.
    """

    BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
    LOCAL = Path("/usr/local/share/ca-certificates")

    def __init__(self, host: FakeHost) -> None:
        self.host = host
        host.files.setdefault(self.BUNDLE, "-- the distribution's own --\n")
        self._own = host.files[self.BUNDLE]
        host.programs |= {
            "update-ca-certificates": self._update,
            "certutil": self._certutil,
            "mkdir": lambda arguments, stdin, env: "",
        }

    def database(self, folder: Path) -> None:
        self.host.files[folder / "cert9.db"] = ""

    def _update(self, arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        if not self.host.root:
            raise Failed(1, "Permission denied")
        local = [t for p, t in sorted(self.host.files.items()) if p.parent == self.LOCAL]
        self.host.files[self.BUNDLE] = self._own + "".join(local)
        return ""

    def _certutil(self, arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        action, folder = arguments[0], arguments[arguments.index("-d") + 1]
        database = Path(folder.removeprefix("sql:")) / "cert9.db"
        if action == "-N":
            self.host.files[database] = ""
            return ""
        if database not in self.host.files:
            raise Failed(255, "certutil: function failed: SEC_ERROR_BAD_DATABASE")
        lines = self.host.files[database].splitlines()
        if action == "-L":
            return "\nCertificate Nickname      Trust Attributes\n\n" + "\n".join(lines) + "\n"
        name = arguments[arguments.index("-n") + 1]
        others = [line for line in lines if not line.startswith(f"{name}  ")]
        if action == "-D" and others == lines:
            raise Failed(255, f"certutil: could not find certificate named {name!r}")
        if action == "-A":
            file = Path(arguments[arguments.index("-i") + 1])
            if file not in self.host.files:
                raise Failed(255, f"certutil: unable to open {file}")
            others.append(f"{name}    {arguments[arguments.index('-t') + 1]}  ")
        self.host.files[database] = "\n".join(others)
        return ""
