"""Is there a container engine, may this user access it, and can it run nodes?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kindctl.diagnose.base import PackageCheck, Wants
from kindctl.errors import MachineError
from kindctl.machine import daemon, debian
from kindctl.machine.debian_packages import ENGINE
from kindctl.models import Say, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Host, Tools

OLDEST = (20, 10)  # the oldest with cgroup v2 and `--cgroupns`, which kind gives to its nodes
CAP_SYS_RESOURCE = 24  # bit number, capabilities(7)


class Engine(PackageCheck):
    code = "engine"
    title = "container engine"
    packages = ENGINE

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        try:
            info = tools.engine.info()
        except MachineError as error:
            return self._unavailable(tools.host, error)
        return self._unsuitable(tools.host, info) or self.ok(_describe(info))

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        packages = () if daemon.is_installed(tools.host) else super().plan(tools, wants)
        return [*packages, daemon.plan(tools.host)]

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        if not daemon.is_installed(tools.host):
            super().fix(tools, wants, say)
        daemon.start(tools.host, tools.engine, say)

    def _unavailable(self, host: Host, error: MachineError) -> Verdict:
        """Return the verdict for an engine that cannot be used, and decide whether kindctl can repair that.

        The code of the error says whether the engine is missing, down or denied.
        """
        ours = host.is_root() and daemon.is_default() and error.code != "engine-denied"
        if ours and daemon.is_installed(host):
            fix = "`kindctl doctor --fix` starts the engine"
            return self.failed(error.what, fix, code=error.code, fixable=True)
        obstacle = debian.obstacle(host, self.packages)
        if not ours or obstacle:
            return self.failed(error.what, error.fix or obstacle, code=error.code)
        return self.missing(
            host,
            "no container engine is installed",
            code="engine-missing",  # the error's code is engine-down if only the client is installed
        )

    def _unsuitable(self, host: Host, info: EngineInfo) -> Verdict | None:
        """Return a verdict if the engine cannot run nodes, or only with restrictions. Otherwise return
        None."""
        if info.product == "podman":
            return self.failed(
                f"the engine is Podman {info.version}, which kindctl does not support",
                "install Docker, or point DOCKER_HOST at a Docker engine",
                code="engine-podman",
            )
        version = _version(info.version)
        if version < OLDEST:
            return self.failed(
                f"Docker {info.version} is too old: kindctl needs {OLDEST[0]}.{OLDEST[1]} or later",
                _upgrade(host),
                code="engine-old",
            )
        if version < (23,) and not _may_raise_limits(host):
            return self.failed(
                f"Docker {info.version} cannot start nodes here: versions before 23 need "
                "the capability CAP_SYS_RESOURCE for privileged containers, and this machine lacks it",
                _upgrade(host),
                code="engine-old",
            )
        if info.rootless and info.cgroup_version < 2:
            return self.failed(
                "a rootless engine cannot run nodes on cgroup v1",
                "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or run the engine as root",
                code="engine-rootless",
            )
        if info.rootless:
            return self.warning(
                f"{_describe(info)}: ports below 1024 and resource limits need extra settings",
                "see https://kind.sigs.k8s.io/docs/user/rootless/",
                code="engine-rootless",
            )
        return None


def _describe(info: EngineInfo) -> str:
    rootless = ", rootless" if info.rootless else ""
    return f"{info.product.capitalize()} {info.version} at {info.host}{rootless}"


def _upgrade(host: Host) -> str:
    if not debian.obstacle(host):
        return "install docker.io and docker-cli from Debian 13: the page of this error shows how"
    return "upgrade Docker: https://docs.docker.com/engine/install/"


def _version(text: str) -> tuple[int, ...]:
    """Return the major and minor version. For example, the result for "26.1.5+dfsg1" is (26, 1)."""
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def _may_raise_limits(host: Host) -> bool:
    """Return whether the capability bounding set contains CAP_SYS_RESOURCE.

    Returns True if the set cannot be read.
    """
    for line in (host.read(Path("/proc/self/status")) or "").splitlines():
        name, _, value = line.partition(":")
        if name == "CapBnd":
            return bool(int(value.strip(), 16) >> CAP_SYS_RESOURCE & 1)
    return True


CHECK = Engine()
