"""The certificate of the admission webhook, and the CA that signed it.

They are made here and not by upstream's two Jobs: so the Secret exists before the pod that mounts it, and
nothing has to run in the cluster first. The CA's key is not kept: a renewal makes a new CA as well.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kindctl.models import Object, ObjectRef
from kindctl.trust.pki import Pair, authority, certificate, rejection

LIFE = timedelta(days=3650)
KEYS = ("ca", "cert", "key")
"""Keys of the Secret, as upstream's Jobs name them. Each holds PEM."""


@dataclass(frozen=True)
class Pki:
    """The CA's certificate, the serving certificate and its key, as PEM."""

    ca: bytes
    cert: bytes
    key: bytes

    @classmethod
    def read(cls, secret: Mapping[str, object] | None) -> Pki | None:
        """Read it from the Secret that the API returned; None if that is not complete."""
        data = (secret or {}).get("data")
        if not isinstance(data, Mapping):
            return None
        try:
            return cls(*(base64.b64decode(data[key], validate=True) for key in KEYS))
        except (KeyError, binascii.Error):
            return None

    def secret(self, ref: ObjectRef) -> Object:
        values = zip(KEYS, (self.ca, self.cert, self.key), strict=True)
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "type": "Opaque",
            "data": {key: base64.b64encode(value).decode() for key, value in values},
        }

    @property
    def ca_bundle(self) -> str:
        """The value of `caBundle` in a webhook configuration: base64 of the PEM."""
        return base64.b64encode(self.ca).decode()

    def reason_to_renew(self, names: Sequence[str], now: datetime) -> str:
        """Why a client that trusts `ca` would not accept the certificate for `names`; empty if it would,
        and for another 30 days."""
        return rejection(self.ca, Pair(self.cert, self.key), names, now)


def create(names: Sequence[str], now: datetime) -> Pki:
    """Make a CA and a serving certificate for `names`, both P-256 and valid for ten years from `now`."""
    ca = authority(f"{names[0]} CA", now, LIFE)
    served = certificate(ca, names, now, now + LIFE)
    return Pki(ca.cert, served.cert, served.key)
