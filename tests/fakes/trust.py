"""A local certificate authority in the memory of a machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from kindctl.pki import Pair, authority
from kindctl.tools.protocols import Host
from kindctl.trust.authority import ONLY, Authority
from kindctl.trust.serving import Serving
from tests.fakes.host import FakeHost

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
