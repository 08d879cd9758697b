"""Functions and classes that several checks use."""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.errors import KindctlError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

GB = 1e9
LOCAL_ENGINE = ("unix://", "npipe://", "fd://")


def is_local(info: EngineInfo) -> bool:
    """Return whether the engine runs on this machine, so that its files and ports are this machine's."""
    return not info.host or info.host.startswith(LOCAL_ENGINE)


def minor(version: str) -> int:
    """Return the minor version. For example, the result for "1.36.3" is 36."""
    return int(version.removeprefix("v").split(".")[1])


class SpaceCheck(Check):
    """A check for enough free disk space or memory. Limits are in bytes."""

    least: float  # below this the check fails
    comfortable: float  # below this the check warns
    purpose: str  # what needs the space
    remedy: str

    def judge_space(self, tools: Tools, wants: Wants, free: float, seen: str) -> Verdict:
        """Return the verdict for `free` bytes of space. `seen` describes this space to the user.

        If the environment is already running, too little space is only a warning. Such an environment
        already occupies the space that it needs, so a lack of free space must not prevent its repair.
        """
        if free >= self.comfortable:
            return self.ok(seen)
        failed = free < self.least and not _node_runs(tools, wants)
        report, bound = (self.failed, self.least) if failed else (self.warning, self.comfortable)
        return report(f"{seen}, less than {bound / GB:.0f} GB: {self.purpose}", self.remedy)


def _node_runs(tools: Tools, wants: Wants) -> bool:
    """Return whether a node of this environment is running. Return False if the engine does not answer."""
    if not wants.environment:
        return False
    try:
        nodes = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: wants.environment})
    except KindctlError:
        return False
    return any(node.state == "running" for node in nodes)
