"""What several checks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from kindctl.diagnose.base import Wants
from kindctl.errors import KindctlError, MachineError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Say, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools

GB = 1e9
LOCAL_ENGINE = ("unix://", "npipe://", "fd://")


class Unfixable(ABC):
    """A check that kindctl can only report on."""

    code: str
    title: str

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return ()

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        raise MachineError(f"{self.title}: kindctl cannot change this", code=self.code)

    def ok(self, seen: str) -> Verdict:
        return Verdict(self.code, "ok", seen)

    def blocked(self, by: str) -> Verdict:
        return Verdict(self.code, "warning", f"{self.title}: not known yet", blocked_by=by)


class EngineCheck(Unfixable):
    """A question that only a working engine can answer."""

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            info = tools.engine.info()
        except MachineError:
            return self.blocked("engine")
        return self.judge(tools, wants, info)

    @abstractmethod
    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict: ...


def is_local(info: EngineInfo) -> bool:
    """Whether the engine runs on this machine, so that its files and ports are this machine's."""
    return not info.host or info.host.startswith(LOCAL_ENGINE)


def node_runs(tools: Tools, wants: Wants) -> bool:
    """Whether this environment's cluster is up already: it has taken its share of the machine, and
    repairing it must not fail for want of room for another."""
    if not wants.environment:
        return False
    try:
        nodes = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: wants.environment})
    except KindctlError:
        return False
    return any(node.state == "running" for node in nodes)


def minor(version: str) -> int:
    """ "1.36.3" -> 36"""
    return int(version.removeprefix("v").split(".")[1])
