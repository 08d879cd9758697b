"""The certificate of the admission webhook, and the CA that signed it.

They are made here, and not by upstream's two Jobs, so that the Secret exists before the pod that mounts it,
and nothing has to run in the cluster first. The CA's key is not kept: a renewal makes a new CA as well.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kindctl.kube_objects import secret, secret_values
from kindctl.models import Object, ObjectRef
from kindctl.trust.pki import Pair, authority, certificate, rejection

LIFE = timedelta(days=3650)
KEYS = ("cert", "key", "ca")
"""Keys of the Secret, as upstream's Jobs name them. Each holds PEM."""


@dataclass(frozen=True)
class Pki(Pair):
    """The serving certificate and its key, and the CA's certificate, as PEM."""

    ca: bytes

    @classmethod
    def read(cls, found: Object | None) -> Pki | None:
        """Read the certificates from the Secret that the API returned. None if the Secret is
        incomplete."""
        values = secret_values(found, KEYS)
        return cls(*values) if values else None

    def secret(self, ref: ObjectRef) -> Object:
        return secret(ref, dict(zip(KEYS, (self.cert, self.key, self.ca), strict=True)))

    @property
    def ca_bundle(self) -> str:
        """The value of `caBundle` in a webhook configuration: base64 of the PEM."""
        return base64.b64encode(self.ca).decode()

    def reason_to_renew(self, names: Sequence[str], now: datetime) -> str:
        """Return why a client that trusts `ca` would reject the certificate for `names`, now or in 30
        days. Returns an empty text if the client would accept the certificate."""
        return rejection(self.ca, self, names, now)


def create(names: Sequence[str], now: datetime) -> Pki:
    """Make a CA and a serving certificate for `names`, both P-256 and valid for ten years from `now`."""
    ca = authority(f"{names[0]} CA", now, LIFE)
    served = certificate(ca, names, now, now + LIFE)
    return Pki(served.cert, served.key, ca.cert)
