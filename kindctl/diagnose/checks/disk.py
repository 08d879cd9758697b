"""Is there room for images, and for what the nodes unpack from them?"""

from __future__ import annotations

from kindctl.diagnose.base import EngineCheck, Wants
from kindctl.diagnose.common import GB, is_local, judge_space
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
            return self.ok("not checked: the engine runs on another machine")
        free = tools.host.free_disk(info.root_dir)
        return judge_space(
            self,
            tools,
            wants,
            free,
            f"{free / GB:.1f} GB free at {info.root_dir}",
            least=LEAST,
            comfortable=COMFORTABLE,
            purpose="the engine keeps images there, and each node unpacks them",
            fix="free disk space: `docker system df` shows what uses it, `docker image prune` removes "
            "untagged images",
        )


CHECK = Disk()
