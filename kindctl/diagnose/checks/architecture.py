"""Do the images that kindctl pulls and builds exist for the engine's processor?"""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import EngineCheck
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

SUPPORTED = ("amd64", "arm64")
"""What kind's node images are published for."""


class Architecture(EngineCheck):
    code = "architecture"
    title = "processor"

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if info.architecture in SUPPORTED:
            return self.ok(f"{info.architecture}, {info.cpus} CPUs")
        return Verdict(
            code="architecture",
            level="failed",
            seen=f"the engine's processor is {info.architecture}; there are node images for "
            + " and ".join(SUPPORTED),
            fix="use an engine on such a machine (DOCKER_HOST)",
        )


CHECK: Check = Architecture()
