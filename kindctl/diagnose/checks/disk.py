"""Is there enough disk space for images, and for the nodes' unpacked copies of them?"""

from __future__ import annotations

from kindctl.diagnose.base import EngineCheck, Wants
from kindctl.diagnose.common import GB, SpaceCheck, is_local
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools


class Disk(EngineCheck, SpaceCheck):
    """Checks the disk on which the engine keeps its data.

    The limits are from measurements: about 1.5 GB of images, 3 GB of build cache if images are built, and
    1 to 2 GB for each node. On a full disk, all pods are evicted (k3d FAQ, DiskPressure) and etcd stops.
    """

    code = "disk"
    title = "disk space"
    least, comfortable = 6 * GB, 12 * GB
    purpose = "the engine keeps images there, and each node unpacks them"
    remedy = "free disk space: `docker system df` shows what uses it; try `docker image prune`"

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if not is_local(info):
            return self.ok("not checked: the engine runs on another machine")
        free = tools.host.free_disk(info.root_dir)
        return self.judge_space(tools, wants, free, f"{free / GB:.1f} GB free at {info.root_dir}")


CHECK = Disk()
