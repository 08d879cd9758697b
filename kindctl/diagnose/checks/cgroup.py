"""Does the kubelet support the engine's version of control groups (cgroups)?"""

from __future__ import annotations

from kindctl.diagnose.base import EngineCheck, Wants
from kindctl.diagnose.common import minor
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

REFUSES_V1 = 35  # since Kubernetes 1.35, the kubelet starts on v1 only if failCgroupV1 is false


class ControlGroups(EngineCheck):
    code = "cgroup"
    title = "control groups"
    local_only = True

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if info.cgroup_version >= 2:
            return self.ok("cgroup v2")
        if minor(wants.kubernetes) < REFUSES_V1:
            return self.ok(f"cgroup v1, which Kubernetes {wants.kubernetes} still supports")
        return self.ok("cgroup v1: kindctl makes the kubelet accept it (failCgroupV1: false)")


CHECK = ControlGroups()
