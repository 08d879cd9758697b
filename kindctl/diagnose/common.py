"""Questions that several checks ask."""

from __future__ import annotations

from kindctl.diagnose.base import Check, Wants
from kindctl.errors import KindctlError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

GB = 1e9
LOCAL_ENGINE = ("unix://", "npipe://", "fd://")


def is_local(info: EngineInfo) -> bool:
    """Whether the engine runs on this machine, so that its files and ports are this machine's."""
    return not info.host or info.host.startswith(LOCAL_ENGINE)


def minor(version: str) -> int:
    """ "1.36.3" -> 36"""
    return int(version.removeprefix("v").split(".")[1])


def judge_space(
    check: Check,
    tools: Tools,
    wants: Wants,
    free: float,
    seen: str,
    *,
    least: float,
    comfortable: float,
    purpose: str,
    fix: str,
) -> Verdict:
    """The verdict on `free` bytes of something: failed below `least`, a warning below `comfortable`.

    A cluster that runs already has taken its share, and its repair must not fail for lack of space for
    another one: then it is a warning too. `seen`: how much is free; `purpose`: what needs it.
    """
    if free >= comfortable:
        return check.ok(seen)
    failed = free < least and not _node_runs(tools, wants)
    report = check.failed if failed else check.warning
    return report(
        f"{seen}, less than {(least if failed else comfortable) / GB:.0f} GB: {purpose}", fix
    )


def _node_runs(tools: Tools, wants: Wants) -> bool:
    """Whether a node of this environment runs. False where the engine does not answer."""
    if not wants.environment:
        return False
    try:
        nodes = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: wants.environment})
    except KindctlError:
        return False
    return any(node.state == "running" for node in nodes)
