"""Does the docker client have its build plug-in, buildx? BuildKit itself is part of the engine."""

from __future__ import annotations

from kindctl.diagnose.base import PackageCheck, Wants
from kindctl.errors import KindctlError
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools


class Buildx(PackageCheck):
    code = "buildx"
    title = "image builder"
    packages = ("docker-buildx",)
    by_hand = "install the buildx plug-in: https://docs.docker.com/build/install-buildx/"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            version = tools.engine.builder_version() or "of an unknown version"
            return self.ok(f"buildx {version}")
        except KindctlError as error:
            if error.code == "engine-missing":
                return self.blocked("engine")
            seen = f"`docker buildx` does not work: {error.why or error.what}"
            return self.missing(tools.host, seen, code="buildx-missing")


CHECK = Buildx()
