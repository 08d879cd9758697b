"""Is there room for images, and for what the nodes unpack from them?"""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import GB, EngineCheck, is_local, node_runs
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

LEAST, COMFORTABLE = 6 * GB, 12 * GB
"""Measured: about 1.5 GB of images, 3 GB of build cache where they are built, and 1 to 2 GB for each
node. A full disk evicts every pod (k3d FAQ, DiskPressure) and stops etcd."""


class Disk(EngineCheck):
    code = "disk"
    title = "disk space"

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if not is_local(info):
            return self.ok("the engine is on another machine: not asked")
        free = tools.host.free_disk(info.root_dir)
        seen = f"{free / GB:.1f} GB free at {info.root_dir}"
        if free >= COMFORTABLE:
            return self.ok(seen)
        failed = free < LEAST and not node_runs(tools, wants)
        bound = LEAST if failed else COMFORTABLE
        return Verdict(
            code="disk",
            level="failed" if failed else "warning",
            seen=f"{seen}, below {bound / GB:.0f} GB: images are kept there, and unpacked in each node",
            fix="make room: `docker system df` shows what takes it, `docker image prune` removes images "
            "without a name",
        )


CHECK: Check = Disk()
