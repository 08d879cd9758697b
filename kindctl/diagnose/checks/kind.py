"""Is kind installed, and does its version support the Kubernetes version of the environment?"""

from __future__ import annotations

from kindctl.diagnose.base import PackageCheck, Wants
from kindctl.diagnose.common import minor
from kindctl.errors import MachineError
from kindctl.machine.debian_packages import KIND
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools

NEWEST_KUBERNETES = {27: 32, 28: 33, 29: 33, 30: 34, 31: 35, 32: 36, 33: 37}
"""Minor version of kind 0.x -> minor version of the newest Kubernetes 1.y in that release of kind. This is
the default image in kind's source (pkg/apis/config/defaults/image.go). Later node images may need a newer
kind (kind#3853). Earlier node images work, although kind promises only "best effort"."""

OLDEST_KIND, NEWEST_KIND = min(NEWEST_KUBERNETES), max(NEWEST_KUBERNETES)


class Kind(PackageCheck):
    code = "kind"
    title = "kind"
    local_only = True
    packages = KIND

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            version = tools.kind.version()
        except MachineError as error:
            return self.missing(tools.host, error.what, code=error.code)
        return self._too_old(version, wants.kubernetes) or self.ok(f"kind {version}")

    def _too_old(self, version: str, kubernetes: str) -> Verdict | None:
        """Return a verdict if the installed kind does not support this Kubernetes version, or else None.

        If kind is newer than all versions in the table, it is assumed to support what the newest version
        in the table supports.
        """
        kind, wanted = minor(version), minor(kubernetes)
        newest = NEWEST_KUBERNETES.get(kind, NEWEST_KUBERNETES[NEWEST_KIND])
        if kind >= OLDEST_KIND and (wanted <= newest or kind > NEWEST_KIND):
            return None
        enough = min((k for k, known in NEWEST_KUBERNETES.items() if known >= wanted), default=None)
        install = f"install kind 0.{enough} or later" if enough else "install a newer kind"
        supported = (
            f"1.{newest} or earlier" if kind >= OLDEST_KIND else "a version that it supports"
        )
        return self.failed(
            f"kind {version} is too old for Kubernetes {kubernetes}",
            f"{install}, or set `cluster.kubernetes` to {supported}",
            code="kind-old",
        )


CHECK = Kind()
