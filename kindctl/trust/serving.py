"""The certificate that an ingress controller serves by default.

A controller adds `Setup.certificate.secret(cluster, namespace)` to its objects: a Secret of type
kubernetes.io/tls with the name SECRET. The controller is configured to use that certificate by default. The
Secret in the cluster is kept as long as it is valid, so a second `up` changes nothing.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cryptography import x509

from kindctl.kube_objects import secret, secret_values
from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster
from kindctl.trust.authority import LIFE as CA_LIFE
from kindctl.trust.authority import NAME, ONLY, Authority
from kindctl.trust.pki import Pair, certificate, names_in, rejection
from kindctl.trust.pki import authority as new_authority

SECRET = "localhost-tls"  # noqa: S105 - a name
KEYS = ("tls.crt", "tls.key")
LIFE = timedelta(days=397)
"""How long a certificate is valid. Browsers reject more than 398 days (CA/Browser Forum, Baseline
Requirements 6.3.2)."""

ALWAYS = ("localhost", "*.localhost", "127.0.0.1", "::1")
"""The names in every certificate. Chromium, Firefox and OpenSSL do not accept a wildcard directly below a
top-level name, so the certificate also has each host name of the apps."""


def is_local(host: str) -> bool:
    """Return whether the local authority may sign for this host name or address."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class Serving:
    """Makes the Secret with the certificate that a controller serves.

    `hosts` returns the hosts that the certificate must be valid for. Hosts that are not names of this
    machine are ignored.
    """

    def __init__(self, authority: Authority, hosts: Callable[[], Iterable[str]] = tuple) -> None:
        self.authority = authority
        self._hosts = hosts
        self._lock = threading.Lock()
        self._made: dict[tuple[bytes, tuple[str, ...]], Pair] = {}
        self._stand_in: Pair | None = None

    def names(self) -> tuple[str, ...]:
        more = sorted({host.strip("[]").lower() for host in self._hosts() if is_local(host)})
        return tuple(dict.fromkeys((*ALWAYS, *more)))

    def secret(self, cluster: Cluster, namespace: str) -> Object:
        """Return the cluster's Secret, or a new Secret.

        A new Secret is made if the cluster's Secret is not valid for the current authority and names.
        Later calls return the same new Secret. Raises ApiError, and KindctlError (code local-ca).
        """
        ref = ObjectRef("v1", "Secret", SECRET, namespace)
        found = secret_values(cluster.get(ref), KEYS)
        names, now = self.names(), self.authority.clock()
        with self._lock:
            ca = self.authority.pair() or self._without_authority(now)
            pair = Pair(*found) if found else None
            if pair is None or not _is_good(ca, pair, names, now):
                pair = self._made.get((ca.cert, names))
            if pair is None:
                pair = certificate(ca, names, now, now + LIFE)
                self._made[ca.cert, names] = pair
        return secret(ref, dict(zip(KEYS, (pair.cert, pair.key), strict=True)), "kubernetes.io/tls")

    def _without_authority(self, now: datetime) -> Pair:
        """Return a temporary authority for `plan`, which may run before `up` has made an authority."""
        if self._stand_in is None:
            self._stand_in = new_authority(NAME, now, CA_LIFE, only=ONLY)
        return self._stand_in


def _is_good(ca: Pair, pair: Pair, names: tuple[str, ...], now: datetime) -> bool:
    return not rejection(ca.cert, pair, names, now) and set(names) == set(
        names_in(x509.load_pem_x509_certificate(pair.cert))
    )
