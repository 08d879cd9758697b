"""Will the kubelet run on the engine's control groups?"""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import EngineCheck, minor
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

REFUSES_V1 = 35  # since 1.35 the kubelet does not start on v1 unless failCgroupV1 is false


class ControlGroups(EngineCheck):
    code = "cgroup"
    title = "control groups"

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if info.cgroup_version >= 2:
            return self.ok("control groups v2")
        if minor(wants.kubernetes) < REFUSES_V1:
            return self.ok("control groups v1, which this Kubernetes still takes")
        return self.ok(
            "control groups v1: kindctl tells the kubelet to take it (failCgroupV1: false)"
        )


CHECK: Check = ControlGroups()
