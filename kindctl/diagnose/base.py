"""The interface of checks of the machine, and the environment's requirements, which the checks verify.

Each module of checks/ defines one check as CHECK; the registry in checks/__init__.py lists them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.errors import MachineError
from kindctl.machine import debian
from kindctl.models import Say, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Host, Tools


@dataclass(frozen=True)
class WantedPort:
    """A port of this machine, and the key of kindctl.yaml that sets it."""

    address: str
    port: int
    key: str = ""  # ingress.expose.http; empty if no key sets the port


@dataclass(frozen=True)
class Wants:
    """What the environment requires of the machine."""

    ports: Sequence[WantedPort] = ()
    """The ports that a new cluster, its registry and its forwards need."""
    local: bool = True
    """Whether the cluster runs on this engine. If false, this engine only builds images."""
    kubernetes: str = "1.36"
    workers: int = 0
    environment: str = ""
    registries: Sequence[str] = ("https://registry-1.docker.io/v2/",)
    """URLs of registries that provide base images. If no registry is reachable, debootstrap makes these
    images."""


class Check(ABC):
    """A check that answers one question about the machine."""

    code: str  # stable; names its page in docs/troubleshooting
    title: str  # "inotify limits"
    local_only: bool = False  # whether it is skipped for a cluster that runs elsewhere

    @abstractmethod
    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        """Return the verdict. Changes nothing.

        A problem that the check finds is reported in the verdict, not raised. If the question cannot be
        answered yet, the verdict is a warning that names the check that has to pass first (see `blocked`).
        """

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        """Return what `fix` would do, as sentences that the user sees before agreeing to it."""
        return ()

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        """Repair what the verdict reports. Raises KindctlError if that fails."""
        raise MachineError(f"{self.title}: kindctl cannot repair this", code=self.code)

    def ok(self, seen: str) -> Verdict:
        return Verdict(self.code, "ok", seen)

    def warning(self, seen: str, fix: str, *, code: str = "", fixable: bool = False) -> Verdict:
        return Verdict(code or self.code, "warning", seen, fix, fixable)

    def failed(self, seen: str, fix: str, *, code: str = "", fixable: bool = False) -> Verdict:
        return Verdict(code or self.code, "failed", seen, fix, fixable)

    def blocked(self, by: str) -> Verdict:
        """Return the verdict for a check that cannot run until the check with the code `by` passes."""
        return Verdict(self.code, "warning", f"{self.title}: not checked yet", blocked_by=by)


class EngineCheck(Check):
    """A check that needs a working engine."""

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            info = tools.engine.info()
        except MachineError:
            return self.blocked("engine")
        return self.judge(tools, wants, info)

    @abstractmethod
    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        """Return the verdict. `info` is what the engine reports about itself."""


class PackageCheck(Check):
    """A check whether a program is installed. Debian provides the program as a package."""

    packages: Sequence[str]
    by_hand: str = (
        ""  # what to do if kindctl cannot install it; empty: what debian.obstacle returns
    )

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return debian.plan(tools.host, self.packages)

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        debian.install(tools.host, self.packages, say)

    def missing(self, host: Host, seen: str, *, code: str = "") -> Verdict:
        """Return the verdict for a program that is not installed."""
        obstacle = debian.obstacle(host, self.packages)
        fix = (
            self.by_hand or obstacle
            if obstacle
            else "`kindctl doctor --fix` installs it from Debian"
        )
        return self.failed(seen, fix, code=code, fixable=not obstacle)
