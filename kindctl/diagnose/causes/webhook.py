"""An admission webhook cannot be asked, so what it guards cannot be changed (ingress-nginx#5401,
#5968)."""

from __future__ import annotations

import re

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import happened, newest_first
from kindctl.models import Cause

FAILED = re.compile(r'failed calling webhook "([^"]+)"')
UNTRUSTED = "x509"


def explain(evidence: Evidence) -> Cause | None:
    """Passing as far as it goes: the webhook's pods may come up, `up` repairs its own certificate."""
    for event in newest_first(evidence.events):
        message = event.get("message", "")
        match = FAILED.search(message)
        if not match:
            continue
        untrusted = UNTRUSTED in message
        return Cause(
            code="webhook",
            what=f"the admission webhook {match[1]} "
            + (
                "has a certificate that its configuration does not trust"
                if untrusted
                else "does not answer"
            ),
            fix="run `kindctl up` again: it renews the certificate of its own controller"
            if untrusted
            else "see whether the pods behind it are ready: kindctl status",
            cites=(message,),
            sure=0.9 if untrusted else 0.7,
            since=happened(event),
        )
    return None
