"""Is there a container engine, may this user ask it, and can it run nodes?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kindctl.diagnose.base import Check, Wants
from kindctl.diagnose.checks.common import Unfixable
from kindctl.errors import MachineError
from kindctl.machine import daemon, debian
from kindctl.machine.debian_packages import ENGINE
from kindctl.models import Say, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Host, Tools

OLDEST = (20, 10)  # the oldest with cgroup v2 and `--cgroupns`, which kind gives to its nodes
CAP_SYS_RESOURCE = 24  # bit number, capabilities(7)


class Engine(Unfixable):
    code = "engine"
    title = "container engine"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            info = tools.engine.info()
        except MachineError as error:
            return _absent(tools.host, error)
        return _refused(tools.host, info) or self.ok(describe(info))

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        packages = [] if daemon.is_installed(tools.host) else debian.plan(tools.host, ENGINE)
        return [*packages, daemon.plan(tools.host)]

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        if not daemon.is_installed(tools.host):
            debian.install(tools.host, ENGINE, say)
        debian.start_engine(tools.host, tools.engine, say)


def describe(info: EngineInfo) -> str:
    rootless = ", rootless" if info.rootless else ""
    return f"{info.product.capitalize()} {info.version} at {info.host}{rootless}"


def _absent(host: Host, error: MachineError) -> Verdict:
    """The engine's own error says missing, down or denied; whether kindctl can mend it is said here."""
    code, seen, fix = error.code, error.what, error.fix
    mine = host.is_root() and daemon.is_default()
    if code == "engine-denied" or not mine:
        return Verdict(code, "failed", seen, fix or debian.obstacle(host))
    if daemon.is_installed(host):
        return Verdict(code, "failed", seen, "kindctl doctor --fix starts it", fixable=True)
    if reason := debian.obstacle(host):
        return Verdict(code, "failed", seen, fix or reason)
    return Verdict(
        code="engine-missing",  # a client alone would say: down
        level="failed",
        seen="no container engine is installed",
        fix="kindctl doctor --fix installs one from Debian",
        fixable=True,
    )


def _refused(host: Host, info: EngineInfo) -> Verdict | None:
    if info.product == "podman":
        return Verdict(
            code="engine-podman",
            level="failed",
            seen=f"the engine is Podman {info.version}, which kindctl does not support",
            fix="install Docker, or let DOCKER_HOST name a Docker engine",
        )
    version = _version(info.version)
    if version < OLDEST:
        return Verdict(
            code="engine-old",
            level="failed",
            seen=f"Docker {info.version} is older than {OLDEST[0]}.{OLDEST[1]}",
            fix=_upgrade(host),
        )
    if version < (23,) and not _may_raise_limits(host):
        return Verdict(
            code="engine-old",
            level="failed",
            seen=f"Docker {info.version} cannot start nodes here: CAP_SYS_RESOURCE is missing, and "
            "before version 23 the engine insists on it for privileged containers",
            fix=_upgrade(host),
        )
    if info.rootless and info.cgroup_version < 2:
        return Verdict(
            code="engine-rootless",
            level="failed",
            seen="a rootless engine on control groups v1 cannot run nodes",
            fix="boot with control groups v2 (systemd.unified_cgroup_hierarchy=1), or use a root engine",
        )
    if info.rootless:
        return Verdict(
            code="engine-rootless",
            level="warning",
            seen=f"{describe(info)}: ports below 1024 and resource limits need settings of their own",
            fix="see https://kind.sigs.k8s.io/docs/user/rootless/",
        )
    return None


def _upgrade(host: Host) -> str:
    if not debian.obstacle(host):
        return "install docker.io and docker-cli of Debian 13: the page of this code says how"
    return "upgrade Docker: https://docs.docker.com/engine/install/"


def _version(text: str) -> tuple[int, ...]:
    """ "26.1.5+dfsg1" -> (26, 1)"""
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def _may_raise_limits(host: Host) -> bool:
    """Whether the bounding set holds CAP_SYS_RESOURCE. True where that cannot be read."""
    for line in (host.read(Path("/proc/self/status")) or "").splitlines():
        name, _, value = line.partition(":")
        if name == "CapBnd":
            return bool(int(value.strip(), 16) >> CAP_SYS_RESOURCE & 1)
    return True


CHECK: Check = Engine()
