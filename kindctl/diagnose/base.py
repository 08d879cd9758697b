"""Checks of the machine: what each of them is, and what the environment asks of the machine.

A check is a module of checks/ that defines CHECK, named in the registry in checks/__init__.py.
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
    key: str = ""  # ingress.expose.http; empty: no key sets it


@dataclass(frozen=True)
class Wants:
    """What the environment at hand asks of the machine."""

    ports: Sequence[WantedPort] = ()
    """The ports that a new cluster, its registry or its forwards would bind."""
    local: bool = True
    """Whether the cluster runs on this engine. Otherwise only images are built here."""
    kubernetes: str = "1.36"
    workers: int = 0
    environment: str = ""
    registries: Sequence[str] = ("https://registry-1.docker.io/v2/",)
    """Where base images can be pulled from. If none is reachable, debootstrap makes them."""


class Check(ABC):
    """One question to the machine."""

    code: str  # stable; names its page in docs/troubleshooting
    title: str  # "inotify limits"
    local_only: bool = False  # whether it does not matter for a cluster that runs elsewhere

    @abstractmethod
    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        """The verdict. Changes nothing.

        Raises no error for what it looks for: that is in the verdict. A question that cannot be asked yet
        gives a warning that names the check that blocks it.
        """

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        """What `fix` would install, add or set, one sentence each: shown to the user before it is done."""
        return ()

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        """Repair what the verdict reports. Raises KindctlError when it cannot."""
        raise MachineError(f"{self.title}: kindctl cannot change this", code=self.code)

    def ok(self, seen: str) -> Verdict:
        return Verdict(self.code, "ok", seen)

    def warning(self, seen: str, fix: str, *, code: str = "", fixable: bool = False) -> Verdict:
        return Verdict(code or self.code, "warning", seen, fix, fixable)

    def failed(self, seen: str, fix: str, *, code: str = "", fixable: bool = False) -> Verdict:
        return Verdict(code or self.code, "failed", seen, fix, fixable)

    def blocked(self, by: str) -> Verdict:
        """The check with the code `by` has to pass first."""
        return Verdict(self.code, "warning", f"{self.title}: not known yet", blocked_by=by)


class EngineCheck(Check):
    """A question that only a working engine can answer."""

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            info = tools.engine.info()
        except MachineError:
            return self.blocked("engine")
        return self.judge(tools, wants, info)

    @abstractmethod
    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        """The verdict, given what the engine says of itself."""


class PackageCheck(Check):
    """Whether a program is there that Debian has a package of."""

    packages: Sequence[str]
    by_hand: str = ""  # what to do where kindctl cannot install it; empty: what keeps it from that

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return debian.plan(tools.host, self.packages)

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        debian.install(tools.host, self.packages, say)

    def missing(self, host: Host, seen: str, *, code: str = "") -> Verdict:
        """The verdict for a program that is not there."""
        obstacle = debian.obstacle(host)
        fix = (
            self.by_hand or obstacle
            if obstacle
            else "`kindctl doctor --fix` installs it from Debian"
        )
        return self.failed(seen, fix, code=code, fixable=not obstacle)
