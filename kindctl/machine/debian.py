"""Make a Debian machine fit, and take that back.

Debian 12 and later, as root, with systemd or without. Anywhere else kindctl says what to install and
installs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError, MachineError
from kindctl.machine import daemon
from kindctl.machine import debian_packages as packages
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Say
from kindctl.tools.engine_protocol import Engine
from kindctl.tools.protocols import Host

OLDEST = 12  # bookworm: the first with a libc that today's engine and kind are built for


def obstacle(host: Host) -> str:
    """Why kindctl cannot install anything here, as advice to the user; empty when it can."""
    release = host.os_release()
    version = release.get("VERSION_ID", "")
    if release.get("ID") != "debian" or host.which("apt-get") is None:
        return (
            "install Docker (https://docs.docker.com/engine/install/) and "
            "kind (https://kind.sigs.k8s.io/docs/user/quick-start/#installation)"
        )
    if version.isdigit() and int(version) < OLDEST:
        return f"upgrade to Debian {OLDEST} or later, or install Docker and kind by other means"
    return "" if host.is_root() else "as root: kindctl doctor --fix"


def plan(host: Host, names: Sequence[str]) -> list[str]:
    """Sentences on what `install` would do."""
    return [] if obstacle(host) else packages.plan(host, names)


def install(host: Host, names: Sequence[str], say: Say) -> None:
    """Raises MachineError where kindctl cannot install, ToolError when apt-get fails."""
    if reason := obstacle(host):
        raise MachineError(
            f"kindctl cannot install {', '.join(names)} here", fix=reason, code="packages"
        )
    packages.install(host, names, say)


def start_engine(host: Host, engine: Engine, say: Say) -> None:
    """Raises MachineError (engine-start) when it does not come up."""
    daemon.start(host, engine, say)


def undo_intentions(host: Host) -> list[str]:
    """What `undo` would do, one sentence each; none where kindctl has changed nothing."""
    record = packages.read_record(host)
    if reasons := _in_use(host, record):
        return [f"leave the installed packages as they are: {reason}" for reason in reasons]
    sentences = []
    if daemon.ours(host) is not None:
        sentences.append("stop dockerd, which kindctl started")
    if present := sorted(packages.installed(host, record.packages)) if record.packages else []:
        data = ", with all that the engine has stored" if _engine_goes(record) else ""
        sentences.append(f"remove packages {', '.join(present)}{data}")
    if record.files:
        sentences.append(f"remove package sources {', '.join(record.files)}")
    return sentences


def undo(host: Host, say: Say) -> None:
    """Stop the daemon and remove the packages and sources that kindctl brought.

    All stays, record included, while something that is not kindctl's needs them. Kernel settings
    (sysctl) were never made permanent: they end with the next reboot.
    """
    record = packages.read_record(host)
    if reasons := _in_use(host, record):
        for reason in reasons:
            say(f"left the installed packages as they are: {reason}")
        return
    # Asked while the engine still answers; what it holds is deleted only when that is known.
    known = _strangers(host) is not None
    if record.packages and _engine_goes(record) and not known:
        say("left what the engine has stored in /var/lib/docker: it does not answer")
    daemon.stop(host, say)
    packages.remove(host, record.packages, say, data=known)
    packages.remove_sources(host, record.files, say)
    host.delete(packages.RECORD)


def _engine_goes(record: packages.Record) -> bool:
    return "docker.io" in record.packages


def _in_use(host: Host, record: packages.Record) -> list[str]:
    """What is not kindctl's and needs what kindctl installed."""
    reasons = []
    if _engine_goes(record) and (strangers := _strangers(host)):
        reasons.append(f"the engine holds {', '.join(strangers)}, not made by kindctl")
    present = sorted(packages.installed(host, record.packages)) if record.packages else []
    if present and (needing := packages.removals(host, present)):
        reasons.append(f"{', '.join(needing)} depend on them")
    return reasons


def _strangers(host: Host) -> list[str] | None:
    """Containers and volumes in the engine that are not kindctl's. None: it does not answer."""
    own = f'{{{{.Label "{DOCKER_ENVIRONMENT_LABEL}"}}}}'
    try:
        containers = host.run(["docker", "ps", "--all", "--format", f"{{{{.Names}}}}\t{own}"])
        # Volumes in use belong to the containers above.
        volumes = host.run(
            [
                "docker",
                "volume",
                "ls",
                "--filter",
                "dangling=true",
                "--format",
                f"{{{{.Name}}}}\t{own}",
            ]
        )
    except KindctlError:
        return None
    return [
        f"{kind} {name}"
        for kind, listing in (("container", containers), ("volume", volumes))
        for name, _, label in (line.partition("\t") for line in listing.splitlines())
        if name and not label.strip()
    ]
