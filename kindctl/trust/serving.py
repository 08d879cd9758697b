"""The certificate that an ingress controller serves where nobody has given it another one.

For other controllers: `Setup.certificate.secret(cluster, namespace)` is a Secret of type
kubernetes.io/tls, named SECRET, to be among the controller's objects; the controller is told to serve
it by default. The Secret that the cluster has stays as it is as long as it is good, so that a second
`up` changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster
from kindctl.trust.authority import LIFE as CA_LIFE
from kindctl.trust.authority import NAME, ONLY, Authority
from kindctl.trust.pki import Pair, certificate, fault, names_in
from kindctl.trust.pki import authority as new_authority

SECRET = "localhost-tls"  # noqa: S105 - a name
LIFE = timedelta(days=397)
"""Browsers refuse longer ones than 398 days (CA/Browser Forum, Baseline Requirements 6.3.2)."""

ALWAYS = ("localhost", "*.localhost", "127.0.0.1", "::1")
"""Few clients take a star for all that is below a single label: Chromium, Firefox and OpenSSL do not. So
each host of the apps is in the certificate by its own name too."""


def is_local(host: str) -> bool:
    """Whether the local authority may sign for this host name or address."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class Serving:
    """`hosts`: what else it must be for; others than this machine's names are left out."""

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
        """The one that the cluster has, if it is good for the authority and the names of now; else a new
        one, which is the same at the next call. Raises ApiError, and KindctlError (local-ca)."""
        live = cluster.get(ObjectRef("v1", "Secret", SECRET, namespace))
        names, at = self.names(), self.authority.clock()
        with self._lock:
            ca = self.authority.pair() or self._without_authority(at)
            pair = _read(live)
            if pair is None or not _is_good(ca, pair, names, at):
                pair = self._made.get((ca.cert, names))
            if pair is None:
                pair = certificate(ca, names, at, at + LIFE)
                self._made[ca.cert, names] = pair
        return _secret(pair, namespace)

    def _without_authority(self, at: datetime) -> Pair:
        """`plan` looks before there is one: what it shows is then never applied."""
        if self._stand_in is None:
            self._stand_in = new_authority(NAME, at, CA_LIFE, only=ONLY)
        return self._stand_in


def _is_good(ca: Pair, pair: Pair, names: tuple[str, ...], at: datetime) -> bool:
    from cryptography import x509

    if fault(ca.cert, pair, names, at):
        return False
    return set(names_in(x509.load_pem_x509_certificate(pair.cert))) == set(names)


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
