"""Runs the supervisor of one environment's forwarded ports.

`kindctl up` and `kindctl forward` start this process as
`python -m kindctl.forward ENVIRONMENT KUBECONFIG [--context NAME] [--on-kind]`.
"""

from __future__ import annotations

import argparse
import asyncio
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
from kindctl.tools.lock import lock, open_lock_file
from kindctl.tools.unix_sockets import short_name

LOCK_SECONDS = 5
BACKLOG = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="kindctl-forward")
    parser.add_argument("environment")
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--context")
    parser.add_argument("--on-kind", action="store_true", help="the nodes are containers")
    options = parser.parse_args()
    path = forward_socket(options.environment)
    # A supervisor holds the lock as long as it runs. This waits for one that is just ending.
    if not lock(open_lock_file(path.with_suffix(".lock")), wait=LOCK_SECONDS):
        return 0  # another supervisor is running
    os.chdir("/")  # so that the present folder can be deleted or unmounted
    access = Access(options.kubeconfig, options.context)
    asyncio.run(_supervise(access, path, options.environment, on_kind=options.on_kind))
    return 0


async def _supervise(access: Access, path: Path, environment: str, *, on_kind: bool) -> None:
    supervisor = Supervisor(access, path, lambda: on_kind and _no_nodes(environment), _log)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        with suppress(FileNotFoundError):
            path.unlink()  # left over from a supervisor that was killed
        with short_name(path) as name:
            control.bind(name)
        server = await asyncio.start_unix_server(supervisor.handle, sock=control, backlog=BACKLOG)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, supervisor.end, f"signal {number}")
        await supervisor.run(server)


def _no_nodes(environment: str) -> bool:
    from kindctl.tools.engine import DockerEngine

    return no_nodes(DockerEngine(), environment)


def no_nodes(engine: Engine, environment: str) -> bool:
    """Return whether the environment has neither running nor stopped nodes.

    Returns False if the engine does not answer.

    The container of the environment's image registry is not a node.
    """
    try:
        found = engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: environment})
    except KindctlError:
        return False
    return all(REGISTRY_LABEL in container.labels for container in found)


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
