"""Is kind there, and does this version of it know the Kubernetes that is asked for?"""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import Unfixable, minor
from kindctl.errors import MachineError
from kindctl.machine import debian
from kindctl.machine.debian_packages import KIND
from kindctl.models import Say, Verdict
from kindctl.tools.protocols import Tools

NEWEST_KUBERNETES = {27: 32, 28: 33, 29: 33, 30: 34, 31: 35, 32: 36, 33: 37}
"""kind 0.N -> the newest Kubernetes 1.N that it was released with, from the default image in kind's
source (pkg/apis/config/defaults/image.go). A later node image may need what this kind does not do
(kind#3853); an earlier one works, by kind's own word on a best-effort basis."""

OLDEST_KIND = min(NEWEST_KUBERNETES)


class Kind(Unfixable):
    code = "kind"
    title = "kind"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            version = tools.kind.version()
        except MachineError as error:
            reason = debian.obstacle(tools.host)
            fix = reason or "kindctl doctor --fix installs it from Debian"
            return Verdict(error.code, "failed", error.what, fix, fixable=not reason)
        return _too_old(version, wants.kubernetes) or self.ok(f"kind {version}")

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return debian.plan(tools.host, KIND)

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        debian.install(tools.host, KIND, say)


def _too_old(version: str, kubernetes: str) -> Verdict | None:
    """A kind later than the table is taken to know all that the table's last one does."""
    kind, wanted = minor(version), minor(kubernetes)
    newest = NEWEST_KUBERNETES.get(kind, max(NEWEST_KUBERNETES.values()))
    if kind >= OLDEST_KIND and (wanted <= newest or kind > max(NEWEST_KUBERNETES)):
        return None
    enough = min((k for k, known in NEWEST_KUBERNETES.items() if known >= wanted), default=None)
    return Verdict(
        code="kind-old",
        level="failed",
        seen=f"kind {version} is too old for Kubernetes {kubernetes}",
        fix=(f"install kind 0.{enough} or later" if enough else "install a later kind")
        + ", or set `cluster.kubernetes` to "
        + (f"1.{newest} or earlier" if kind >= OLDEST_KIND else "what your kind was released with"),
    )


CHECK: Check = Kind()
