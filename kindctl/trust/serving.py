"""The certificate that an ingress controller serves by default.

A controller adds `Setup.certificate.secret(cluster, namespace)` to its objects: a Secret of type
kubernetes.io/tls with the name SECRET. It is configured to use that certificate by default. The Secret in
the cluster is kept as long as it is valid, so a second `up` changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from cryptography import x509

from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster
from kindctl.trust.authority import LIFE as CA_LIFE
from kindctl.trust.authority import NAME, ONLY, Authority
from kindctl.trust.pki import Pair, certificate, names_in, rejection
from kindctl.trust.pki import authority as new_authority

SECRET = "localhost-tls"  # noqa: S105 - a name
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
        """Return the cluster's Secret if it is valid for the present authority and names, else a new one.

        Later calls return the same new one. Raises ApiError, and KindctlError (code local-ca).
        """
        live = cluster.get(ObjectRef("v1", "Secret", SECRET, namespace))
        names, now = self.names(), self.authority.clock()
        with self._lock:
            ca = self.authority.pair() or self._without_authority(now)
            pair = _read(live)
            if pair is None or not _is_good(ca, pair, names, now):
                pair = self._made.get((ca.cert, names))
            if pair is None:
                pair = certificate(ca, names, now, now + LIFE)
                self._made[ca.cert, names] = pair
        return _secret(pair, namespace)

    def _without_authority(self, now: datetime) -> Pair:
        """Return a temporary authority for `plan`, which may run before `up` has made one."""
        if self._stand_in is None:
            self._stand_in = new_authority(NAME, now, CA_LIFE, only=ONLY)
        return self._stand_in


def _is_good(ca: Pair, pair: Pair, names: tuple[str, ...], now: datetime) -> bool:
    return not rejection(ca.cert, pair, names, now) and set(names) == set(
        names_in(x509.load_pem_x509_certificate(pair.cert))
    )


def _read(secret: Mapping[str, object] | None) -> Pair | None:
    data = (secret or {}).get("data")
    if not isinstance(data, Mapping):
        return None
    try:
        cert, key = (base64.b64decode(data[name], validate=True) for name in ("tls.crt", "tls.key"))
    except (KeyError, TypeError, binascii.Error):
        return None
    return Pair(cert, key)


def _secret(pair: Pair, namespace: str) -> Object:
    values = {"tls.crt": pair.cert, "tls.key": pair.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": namespace},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(value).decode() for key, value in values.items()},
    }
