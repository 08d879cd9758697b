"""Where no image registry can be reached, the first base image is made by debootstrap."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import Unfixable
from kindctl.errors import KindctlError
from kindctl.machine import debian
from kindctl.machine.debian_packages import DEBOOTSTRAP
from kindctl.models import Say, Verdict
from kindctl.tools.protocols import Tools

BUILT_BY_US = {"dev.kindctl.recipe": ""}
PROBE_TIMEOUT = 3.0  # seconds


class Debootstrap(Unfixable):
    code = "debootstrap"
    title = "debootstrap"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        if tools.host.which("debootstrap"):
            return self.ok("debootstrap is installed")
        if any(tools.net.reachable(registry, PROBE_TIMEOUT) for registry in wants.registries):
            return self.ok("not needed: an image registry answers")
        reason = debian.obstacle(tools.host)
        built = _something_built(tools)
        return Verdict(
            code="debootstrap",
            level="warning" if built else "failed",
            seen="no image registry answers, and debootstrap, which makes base images without one, "
            + ("would be needed to build them anew" if built else "is not installed"),
            fix=reason and "install the package debootstrap, or set `images.mirrors`",
            fixable=not reason,
        )

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return debian.plan(tools.host, DEBOOTSTRAP)

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        debian.install(tools.host, DEBOOTSTRAP, say)


def _something_built(tools: Tools) -> bool:
    try:
        return bool(tools.engine.images(BUILT_BY_US))
    except KindctlError:
        return False


CHECK: Check = Debootstrap()
