"""Is the client's builder there? The engine has BuildKit in it; the client needs its plug-in."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import Unfixable
from kindctl.errors import ToolError
from kindctl.machine import debian
from kindctl.models import Say, Verdict
from kindctl.tools.protocols import Tools

PACKAGE = ("docker-buildx",)


class Buildx(Unfixable):
    code = "buildx"
    title = "image builder"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        if tools.host.which("docker") is None:
            return self.blocked("engine")
        try:
            # github.com/docker/buildx v0.13.1 ...
            words = tools.host.run(["docker", "buildx", "version"]).split()
        except ToolError as error:
            reason = debian.obstacle(tools.host)
            return Verdict(
                code="buildx-missing",
                level="failed",
                seen=f"docker buildx does not work: {error.why or error.what}",
                fix=reason
                and "install the buildx plug-in: https://docs.docker.com/build/install-buildx/",
                fixable=not reason,
            )
        return self.ok("buildx " + (words[1].removeprefix("v") if len(words) > 1 else "is there"))

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return debian.plan(tools.host, PACKAGE)

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        debian.install(tools.host, PACKAGE, say)


CHECK: Check = Buildx()
