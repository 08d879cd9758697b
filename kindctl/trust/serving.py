"""The certificate that an ingress controller serves by default.

A controller includes `Setup.certificate.secret(cluster, namespace)`, a Secret of type kubernetes.io/tls
named SECRET, in its objects, and is configured to serve it by default. The Secret in the cluster is kept
as long as it is valid, so that a second `up` changes nothing.
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
"""Browsers reject those that last more than 398 days (CA/Browser Forum, Baseline Requirements 6.3.2)."""

ALWAYS = ("localhost", "*.localhost", "127.0.0.1", "::1")
"""Names in every certificate. Chromium, Firefox and OpenSSL accept no wildcard below a single label, so the
certificate also has the name of each host of the apps."""


def is_local(host: str) -> bool:
    """Return whether the local authority may sign for this host name or address."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class Serving:
    """Makes the Secret with the certificate that a controller serves.

    `hosts` returns the hosts that it must be valid for; those that are not names of this machine are left
    out.
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
        """Return the cluster's Secret if it is valid for the present authority and names, else a new one.

        A new one stays the same in later calls. Raises ApiError, and KindctlError (local-ca).
        """
        ref = ObjectRef("v1", "Secret", SECRET, namespace)
        found = secret_values(cluster.get(ref), KEYS)
        names, at = self.names(), self.authority.clock()
        with self._lock:
            ca = self.authority.pair() or self._without_authority(at)
            pair = Pair(*found) if found else None
            if pair is None or not _is_good(ca, pair, names, at):
                pair = self._made.get((ca.cert, names))
            if pair is None:
                pair = certificate(ca, names, at, at + LIFE)
                self._made[ca.cert, names] = pair
        return secret(ref, dict(zip(KEYS, (pair.cert, pair.key), strict=True)), "kubernetes.io/tls")

    def _without_authority(self, at: datetime) -> Pair:
        """Return a stand-in for `plan`, which may run before there is an authority. It is never applied."""
        if self._stand_in is None:
            self._stand_in = new_authority(NAME, at, CA_LIFE, only=ONLY)
        return self._stand_in


def _is_good(ca: Pair, pair: Pair, names: tuple[str, ...], at: datetime) -> bool:
    return not rejection(ca.cert, pair, names, at) and set(names) == set(
        names_in(x509.load_pem_x509_certificate(pair.cert))
    )
