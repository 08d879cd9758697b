"""An admission webhook cannot be called, so the objects that it checks cannot be changed.

See ingress-nginx#5401 and #5968.
"""

from __future__ import annotations

import re

from kindctl.diagnose.evidence import Evidence, happened
from kindctl.models import Cause

FAILED = re.compile(r'failed calling webhook "([^"]+)"')


def explain(evidence: Evidence) -> Cause | None:
    """Find a failed call of a webhook. The cause is never permanent: the webhook's pods may become ready,
    and `up` renews certificates that kindctl made."""
    for event in evidence.recent_events():
        message = event.get("message", "")
        if not (match := FAILED.search(message)):
            continue
        if "x509" in message:
            why = "has a certificate that the caBundle in its configuration does not trust"
            fix, sure = "run `kindctl up` again, which renews the certificate", 0.9
        else:
            why = "does not answer"
            fix, sure = "check with `kindctl status` whether the webhook's pods are ready", 0.7
        return Cause(
            code="webhook",
            what=f"the admission webhook {match[1]} {why}",
            fix=fix,
            cites=(message,),
            sure=sure,
            since=happened(event),
        )
    return None
