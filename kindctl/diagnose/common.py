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
    """Return the minor version: 36 for "1.36.3"."""
    return int(version.removeprefix("v").split(".")[1])


class SpaceCheck(Check):
    """A check for enough free disk space or memory. Limits are in bytes."""

    least: float  # below this the check fails
    comfortable: float  # below this the check warns
    purpose: str  # what needs the space
    remedy: str

    def judge_space(self, tools: Tools, wants: Wants, free: float, seen: str) -> Verdict:
        """Return the verdict for `free` bytes; `seen` describes them.

        Too little space is only a warning if the environment is already running: it uses its share of the
        space already, so a lack of space for another environment must not prevent a repair.
        """
        if free >= self.comfortable:
            return self.ok(seen)
        failed = free < self.least and not _node_runs(tools, wants)
        report, bound = (self.failed, self.least) if failed else (self.warning, self.comfortable)
        return report(f"{seen}, less than {bound / GB:.0f} GB: {self.purpose}", self.remedy)


def _node_runs(tools: Tools, wants: Wants) -> bool:
    """Return whether a node of this environment is running. False if the engine does not answer."""
    if not wants.environment:
        return False
    try:
        nodes = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: wants.environment})
    except KindctlError:
        return False
    return any(node.state == "running" for node in nodes)
