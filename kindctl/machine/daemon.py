"""Starts the engine's daemon, waits until it answers, and stops it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.machine.debian_packages import STATE
from kindctl.models import Say
from kindctl.runner.polling import poll
from kindctl.tools.engine_protocol import Engine
from kindctl.tools.protocols import Host

LOG = STATE / "dockerd.log"
PID = STATE / "dockerd.pid"
DOCKERS_OWN_PID = Path("/var/run/docker.pid")
PID_FILES = {
    DOCKERS_OWN_PID: "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
"""Files that a killed daemon leaves behind. Each contains a process ID. If any process, even a zombie, has
this ID, dockerd refuses to start: "process with PID 3947 is still running"."""

START_TIMEOUT = (
    60.0  # seconds; 2 s are usual, but a busy machine or a large image store takes longer
)


def is_default() -> bool:
    """Return whether the client uses this machine's default engine, and not one that the user chose."""
    return not os.environ.get("DOCKER_HOST") and not os.environ.get("DOCKER_CONTEXT")


def is_installed(host: Host) -> bool:
    """Return whether both the client and the daemon are installed. For remote engines, many machines have
    only the client."""
    return host.which("docker") is not None and host.which("dockerd") is not None


def plan(host: Host) -> str:
    """Return what `start` would do, as one sentence."""
    if host.has_systemd():
        return "start the engine (systemctl start docker)"
    return f"start the engine: dockerd, in the background, logging to {LOG}"


def start(host: Host, engine: Engine, say: Say, *, timeout: float = START_TIMEOUT) -> None:
    """Start the daemon if it is not running, and wait until it answers.

    Raises MachineError (code engine-start) with the last lines of the daemon's log.
    """
    pid = None
    if host.has_systemd():
        host.run(["systemctl", "start", "docker"], say=say)
    elif _running(host, DOCKERS_OWN_PID) is None:  # if it is running, it only has to be waited for
        for file, program in PID_FILES.items():
            if _running(host, file, program) is None:
                host.delete(file)
        try:
            pid = host.spawn([host.which("dockerd") or "dockerd"], LOG)
        except ToolError as error:
            raise _failure(host, error.what, error) from error
        host.write(PID, f"{pid}\n")
        say(f"started dockerd, which logs to {LOG}")
    _wait(host, engine, pid, timeout)


def own_pid(host: Host) -> int | None:
    """Return the process ID of the running daemon that kindctl started, or None if there is none."""
    return _running(host, PID)


def stop(host: Host, say: Say) -> None:
    """Stop the daemon if kindctl started it, and delete its log and pid file."""
    pid = own_pid(host)
    if pid is not None:
        host.terminate(pid)
        say("stopped dockerd")
    for path in (PID, LOG):
        host.delete(path)


def _running(host: Host, file: Path, program: str = "dockerd") -> int | None:
    """Return the process ID in a pid file, or None if the process with this ID does not run `program`.

    After a reboot, the ID may belong to another program.
    """
    text = (host.read(file) or "").strip()
    if not text.isdigit() or not host.alive(int(text)):
        return None
    found = (host.read(Path(f"/proc/{text}/comm")) or "").strip()
    return int(text) if found == program else None


def _wait(host: Host, engine: Engine, pid: int | None, timeout: float) -> None:
    def has_ended() -> bool:
        return pid is not None and not host.alive(pid)

    def try_engine() -> KindctlError | None:
        try:
            engine.info()
        except (MachineError, ToolError) as error:
            return error
        return None

    error = poll(
        try_engine,
        until=lambda error: error is None or has_ended(),
        seconds=timeout,
        pause=(0.1, 0.4),
    )
    if error is not None:
        outcome = "has exited" if has_ended() else "does not answer"
        raise _failure(host, f"the engine was started but {outcome}", error) from error


def _failure(host: Host, what: str, why: KindctlError) -> MachineError:
    log = "journalctl -u docker" if host.has_systemd() else str(LOG)
    return MachineError(
        what,
        why=str(why),
        fix=f"read the engine's log: {log}",
        output="\n".join(_last_lines(host)),
        code="engine-start",
    )


def _last_lines(host: Host) -> Sequence[str]:
    if host.has_systemd():
        return host.run(["journalctl", "-u", "docker", "-n", "20", "--no-pager"]).splitlines()
    return (host.read(LOG) or "").splitlines()[-20:]
