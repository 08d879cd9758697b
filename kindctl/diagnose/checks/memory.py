"""Is there memory for a control plane (about 1 GB) and the apps?"""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import GB, Unfixable, is_local, node_runs
from kindctl.errors import MachineError
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools

LEAST, COMFORTABLE = 2 * GB, 4 * GB


class Memory(Unfixable):
    code = "memory"
    of_local_cluster = True
    title = "memory"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        free, seen = _available(tools)
        if free >= COMFORTABLE:
            return self.ok(seen)
        failed = free < LEAST and not node_runs(tools, wants)
        bound = LEAST if failed else COMFORTABLE
        return Verdict(
            code="memory",
            level="failed" if failed else "warning",
            seen=f"{seen}, below {bound / GB:.0f} GB: a control plane takes about 1 GB, and the apps come "
            "on top of it",
            fix="stop what else runs, or give the engine's virtual machine more memory",
        )


def _available(tools: Tools) -> tuple[float, str]:
    """What is left on this machine; where the engine has a machine of its own (Docker Desktop, a
    remote one), or gets less than all of this one, what that has."""
    free = float(tools.host.free_memory())
    seen = f"{free / GB:.1f} GB of memory available"
    try:
        info = tools.engine.info()
    except MachineError:
        return free, seen
    if is_local(info) and info.memory >= free:
        return free, seen
    return float(info.memory), f"the engine has {info.memory / GB:.1f} GB of memory"


CHECK: Check = Memory()
