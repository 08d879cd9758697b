"""`python -m kindctl.forward ENVIRONMENT KUBECONFIG [--context NAME] [--on-kind]`: the supervisor of one
environment. `kindctl up` and `kindctl forward` start it."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.forward.access import Access
from kindctl.forward.supervisor import Supervisor
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, REGISTRY_LABEL
from kindctl.paths import forward_socket
from kindctl.tools.engine_protocol import Engine
from kindctl.tools.unix_sockets import short

LOCK_SECONDS = 5
BACKLOG = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="kindctl-forward")
    parser.add_argument("environment")
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--context")
    parser.add_argument("--on-kind", action="store_true", help="its nodes are containers")
    options = parser.parse_args()
    path = forward_socket(options.environment)
    lock = _lock(path.with_suffix(".lock"))
    if lock is None:
        return 0  # there is one
    os.chdir("/")  # no folder is kept in use
    access = Access(options.kubeconfig, options.context)
    try:
        asyncio.run(_supervise(access, path, options.environment, on_kind=options.on_kind))
    finally:
        os.close(lock)
    return 0


def _lock(path: Path) -> int | None:
    """Held by the one supervisor, as long as it runs. One that is just ending is waited for."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    signal.signal(signal.SIGALRM, lambda *_: _too_late())
    signal.alarm(LOCK_SECONDS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except TimeoutError:
        os.close(descriptor)
        return None
    finally:
        signal.alarm(0)
    return descriptor


def _too_late() -> None:
    raise TimeoutError


async def _supervise(access: Access, path: Path, environment: str, *, on_kind: bool) -> None:
    supervisor = Supervisor(access, path, lambda: on_kind and _no_nodes(environment), _log)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        with suppress(FileNotFoundError):
            path.unlink()  # of one that was killed
        with short(path) as name:
            control.bind(name)
        server = await asyncio.start_unix_server(supervisor.hear, sock=control, backlog=BACKLOG)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, supervisor.end, f"signal {number}")
        await supervisor.run(server)


def _no_nodes(environment: str) -> bool:
    from kindctl.tools.engine import DockerEngine

    return no_nodes(DockerEngine(), environment)


def no_nodes(engine: Engine, environment: str) -> bool:
    """Stopped ones are nodes too, the registry is none. An engine that does not answer says nothing."""
    try:
        found = engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: environment})
    except KindctlError:
        return False
    return all(REGISTRY_LABEL in container.labels for container in found)


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
