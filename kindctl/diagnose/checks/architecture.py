"""Do the images that kindctl pulls and builds exist for the engine's architecture?"""

from __future__ import annotations

from kindctl.diagnose.base import EngineCheck, Wants
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

SUPPORTED = ("amd64", "arm64")
"""Architectures for which kind publishes node images."""


class Architecture(EngineCheck):
    code = "architecture"
    title = "architecture"

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if info.architecture in SUPPORTED:
            return self.ok(f"{info.architecture}, {info.cpus} CPUs")
        return self.failed(
            f"the engine's architecture is {info.architecture}; node images exist only for "
            + " and ".join(SUPPORTED),
            "set DOCKER_HOST to an engine on a machine with one of these architectures",
        )


CHECK = Architecture()
