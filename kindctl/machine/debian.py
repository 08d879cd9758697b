"""Installs what kindctl needs on a Debian machine, and undoes that.

This works on Debian 12 and later, as root, with or without systemd. On other systems kindctl only says what
to install.
"""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError, MachineError
from kindctl.machine import daemon
from kindctl.machine import debian_packages as packages
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Say
from kindctl.tools.engine_protocol import Engine
from kindctl.tools.protocols import Host

OLDEST = 12  # bookworm: the oldest release whose libc can run today's engine and kind

GUIDES = {
    "docker.io": "Docker (https://docs.docker.com/engine/install/)",
    "kind": "kind (https://kind.sigs.k8s.io/docs/user/quick-start/#installation)",
}
"""Package -> the program in the package, and the URL of an installation guide for the program."""


def obstacle(host: Host, names: Sequence[str] = tuple(GUIDES)) -> str:
    """If kindctl cannot install packages on this machine, return how the user can get them, or else ""."""
    programs = [guide for name, guide in GUIDES.items() if name in names]
    by_hand = f"install {' and '.join(programs or names)}"
    release = host.os_release()
    version = release.get("VERSION_ID", "")
    if release.get("ID") != "debian" or host.which("apt-get") is None:
        return by_hand
    if version.isdigit() and int(version) < OLDEST:
        return f"upgrade to Debian {OLDEST} or later, or {by_hand}"
    return "" if host.is_root() else "run as root: kindctl doctor --fix"


def plan(host: Host, names: Sequence[str]) -> list[str]:
    """Return what `install` would do, as sentences. The result is empty if kindctl cannot install anything
    on this machine."""
    return [] if obstacle(host) else packages.plan(host, names)


def install(host: Host, names: Sequence[str], say: Say) -> None:
    """Install those of these packages that are missing.

    Raises MachineError if kindctl cannot install anything here, ToolError if apt-get fails.
    """
    if reason := obstacle(host, names):
        raise MachineError(
            f"kindctl cannot install {', '.join(names)} here", fix=reason, code="packages"
        )
    packages.install(host, names, say)


def planned_removals(host: Host, engine: Engine) -> list[str]:
    """Return what `undo` would do, as sentences. The result is empty if kindctl has installed nothing."""
    record = packages.read_record(host)
    if reasons := _in_use(host, engine, record):
        return [f"leave the installed packages as they are: {reason}" for reason in reasons]
    sentences = []
    if daemon.own_pid(host) is not None:
        sentences.append("stop dockerd, which kindctl started")
    if present := sorted(packages.installed(host, record.packages)) if record.packages else []:
        data = ", and everything that the engine has stored" if _has_engine(record) else ""
        sentences.append(f"remove packages {', '.join(present)}{data}")
    if record.files:
        sentences.append(f"remove package sources {', '.join(record.files)}")
    return sentences


def undo(host: Host, engine: Engine, say: Say) -> None:
    """Stop the daemon that kindctl started, and remove the packages and package sources that kindctl
    added.

    If anything that kindctl did not create needs the packages, nothing is removed and the record is kept.
    Kernel settings (sysctl) need no undoing, because the next reboot resets them.
    """
    record = packages.read_record(host)
    if reasons := _in_use(host, engine, record):
        for reason in reasons:
            say(f"left the installed packages as they are: {reason}")
        return
    # Ask while the engine still runs: its data is deleted only if it is known to be kindctl's.
    known = _foreign(engine) is not None
    if record.packages and _has_engine(record) and not known:
        say("left the engine's data in /var/lib/docker: the engine does not answer")
    daemon.stop(host, say)
    packages.remove(host, record.packages, say, data=known)
    packages.remove_sources(host, record.files, say)
    host.delete(packages.RECORD)


def _has_engine(record: packages.Record) -> bool:
    return "docker.io" in record.packages


def _in_use(host: Host, engine: Engine, record: packages.Record) -> list[str]:
    """Return the reasons why the installed packages must not be removed, as sentences."""
    reasons = []
    if _has_engine(record) and (foreign := _foreign(engine)):
        reasons.append(f"the engine has {', '.join(foreign)}, which kindctl did not create")
    present = sorted(packages.installed(host, record.packages)) if record.packages else []
    if present and (dependents := packages.dependents(host, present)):
        reasons.append(f"other packages depend on them: {', '.join(dependents)}")
    return reasons


def _foreign(engine: Engine) -> list[str] | None:
    """Return the containers and unused volumes that kindctl did not create, or None if the engine is
    down."""
    try:
        containers, volumes = engine.containers(), engine.unused_volumes()
    except KindctlError:
        return None
    labels = [(f"container {container.name}", container.labels) for container in containers]
    labels += [(f"volume {name}", found) for name, found in volumes.items()]
    return [name for name, found in labels if not found.get(DOCKER_ENVIRONMENT_LABEL)]
