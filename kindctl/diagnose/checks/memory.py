"""Is there enough memory for a control plane (about 1 GB) and the apps?"""

from __future__ import annotations

from kindctl.diagnose.base import Wants
from kindctl.diagnose.common import GB, SpaceCheck, is_local
from kindctl.errors import MachineError
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools


class Memory(SpaceCheck):
    code = "memory"
    title = "memory"
    local_only = True
    least, comfortable = 2 * GB, 4 * GB
    purpose = "a control plane takes about 1 GB, and the apps need more"
    remedy = "stop other programs, or give the engine's virtual machine more memory"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        return self.judge_space(tools, wants, *_available(tools))


def _available(tools: Tools) -> tuple[float, str]:
    """Return the available memory in bytes, and a description of it.

    Normally the result is the free memory of this machine. The result is the engine's memory if the engine
    has less memory, or runs elsewhere (on another machine, or in the virtual machine of Docker Desktop).
    """
    free = float(tools.host.free_memory())
    seen = f"{free / GB:.1f} GB of memory available"
    try:
        info = tools.engine.info()
    except MachineError:
        return free, seen
    if is_local(info) and info.memory >= free:
        return free, seen
    return float(info.memory), f"the engine has {info.memory / GB:.1f} GB of memory"


CHECK = Memory()
