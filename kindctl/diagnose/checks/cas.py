"""Which certificate authorities did administrators add to this machine?

Company networks often use a certificate authority of their own. Builds and nodes that do not trust it
cannot download anything (k3d#1246).
"""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools


class TrustedCas(Check):
    code = "cas"
    title = "certificate authorities"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        names = sorted(tools.host.trusted_cas())
        if not names:
            return self.ok("no certificate authorities other than those of the distribution")
        return self.ok(f"found {', '.join(names)}: image builds and nodes trust them too")


CHECK = TrustedCas()
