"""The certificate of the admission webhook, and the CA that signed it.

Made here rather than by upstream's two Jobs: the Secret is there before the pod that mounts it, and
nothing has to run in the cluster first. The CA's key is thrown away: a renewal makes both anew.
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
    """PEM of the CA's certificate, the serving certificate and its key."""

    ca: bytes
    cert: bytes
    key: bytes

    @classmethod
    def read(cls, secret: Mapping[str, object] | None) -> Pki | None:
        """From the Secret as the API has it; None when it is not complete."""
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
        """As a webhook configuration has it: base64 of the PEM."""
        return base64.b64encode(self.ca).decode()

    def rejection(self, names: Sequence[str], now: datetime) -> str:
        """See trust.pki.rejection: why a client that trusts `ca` would reject this for one of `names`."""
        return rejection(self.ca, Pair(self.cert, self.key), names, now)


def create(names: Sequence[str], now: datetime) -> Pki:
    """A CA and a serving certificate for `names`, P-256 both, valid for ten years from `now`."""
    ca = authority(f"{names[0]} CA", now, LIFE)
    served = certificate(ca, names, now, now + LIFE)
    return Pki(ca.cert, served.cert, served.key)
