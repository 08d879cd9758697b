"""Is debootstrap installed? It makes the first base image if no image registry can be reached."""

from __future__ import annotations

from dataclasses import replace

from kindctl.diagnose.base import PackageCheck, Wants
from kindctl.errors import KindctlError
from kindctl.machine.debian_packages import DEBOOTSTRAP
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools

BUILT_IMAGES = {"dev.kindctl.recipe": ""}
PROBE_TIMEOUT = 3.0  # seconds


class Debootstrap(PackageCheck):
    code = "debootstrap"
    title = "debootstrap"
    packages = DEBOOTSTRAP
    by_hand = "install the package debootstrap, or set `images.mirrors`"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        if tools.host.which("debootstrap"):
            return self.ok("debootstrap is installed")
        if any(tools.net.reachable(registry, PROBE_TIMEOUT) for registry in wants.registries):
            return self.ok("not needed: an image registry is reachable")
        verdict = self.missing(
            tools.host,
            "no image registry is reachable, and debootstrap, which can make base images, is not installed",
        )
        return replace(verdict, level="warning") if _has_built_images(tools) else verdict


def _has_built_images(tools: Tools) -> bool:
    """Return whether images were built here before.

    In that case, debootstrap is needed only to build the images again.
    """
    try:
        return bool(tools.engine.images(BUILT_IMAGES))
    except KindctlError:
        return False


CHECK = Debootstrap()
