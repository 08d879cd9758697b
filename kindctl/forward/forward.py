"""One forwarded port: listens on a port of this machine, and connects its clients to pods."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed

from kindctl.forward.access import Access, ApiRefused
from kindctl.forward.channels import DATA, PROTOCOL
from kindctl.forward.client import target as target_of
from kindctl.forward.relay import Broken, Client, Peer, Relay
from kindctl.forward.targets import NOT_KNOWN_YET, Target, Targets
from kindctl.models import Forward

WAIT_SECONDS = 30.0
"""How long a connection waits for a ready pod, for example during a rollout or a restart of the node."""

REFUSED_SECONDS = 3.0
"""How long a connection is retried if nothing listens on the pod's port: a container may be restarting."""

PAUSES = (0.05, 2.0)
PROBE_SECONDS = 0.3


@dataclass
class ForwardedPort:
    """A listener on a port of this machine. Each connection goes to a pod that is ready at that moment."""

    forward: Forward
    origin: str  # see protocols.ForwardState
    access: Access
    report: Callable[[str], None]  # gets the reason of each connection that fails
    on_stop: Callable[[], None] = lambda: None

    connections: int = 0  # how many are open
    served: int = 0  # how many have ended
    last_failure: str = ""
    _tasks: set[asyncio.Future[Any]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    def __post_init__(self) -> None:
        forward = self.forward
        self.targets = Targets(self.access, forward.namespace, forward.service, forward.port)

    def __str__(self) -> str:
        return f"{self.forward.address}:{self.forward.local} to {target_of(self.forward)}"

    @property
    def fresh(self) -> bool:
        """Whether nothing is known about the Service yet."""
        return self.targets.fault == NOT_KNOWN_YET

    async def start(self) -> None:
        """Start listening on the port and watching the Service. Raises OSError if the port cannot be
        bound."""
        address, port = self.forward.address, self.forward.local
        self._server = await asyncio.start_server(self.serve, address, port)
        self._keep(asyncio.ensure_future(self.targets.watch()))

    async def stop(self) -> None:
        self.on_stop()
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def state(self) -> dict[str, Any]:
        """Return the fields of a protocols.ForwardState, as JSON."""
        return {
            "forward": list(astuple(self.forward)),
            "origin": self.origin,
            "pods": [target.pod for target in self.targets.ready()],
            "connections": self.connections,
            "fault": self.targets.why_none(),
            "last_failure": self.last_failure,
        }

    async def probe(self, seconds: float) -> str:
        """Try to connect to a pod. Return why that fails, or "" if it succeeds.

        The protocol reports that a connection was refused, but not that it was accepted. So the probe
        succeeds if no refusal arrives within PROBE_SECONDS. Before that, the probe waits for at most
        `seconds` until the pods are known.
        """
        await self.targets.known(seconds)
        target = self.targets.choose()
        if target is None or self.targets.why_none():
            return self.targets.why_none()
        try:
            peer = await self._open(target)
        except ApiRefused as error:
            return str(error)
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                message = await peer.recv(decode=False)
            return "" if message[0] == DATA else _refusal(target, message[1:].decode())
        except TimeoutError:
            return ""
        except ConnectionClosed:
            return f"pod {target.pod} closes connections to port {target.port} at once"
        finally:
            self._close(peer)

    # --- a connection ----------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to a pod, and pass data between them until either side ends the connection."""
        task = asyncio.current_task()
        if task is not None:
            self._keep(task)
        client = Client(reader, writer)
        self.connections += 1
        try:
            await self._connect(client)
        except Broken as broken:
            self.last_failure = str(broken)
            self.report(str(broken))
            client.reset()
        except asyncio.CancelledError:  # by stop(); asyncio would log what a callback raises
            client.reset()
        else:
            await client.finish()
        finally:
            self.connections -= 1
            self.served += 1

    async def _connect(self, client: Client) -> None:
        """Connect the client to a pod, or to another pod if the first one cannot be reached. Raises
        Broken."""
        clock = asyncio.get_running_loop().time
        end = clock() + WAIT_SECONDS
        tried: set[str] = set()
        pause = PAUSES[0]
        while True:
            target = self.targets.choose(tried)
            why = self.targets.why_none() or "no pod is ready"
            if target is not None:
                tried.add(target.pod)
                try:
                    await self._attempt(client, target)
                    return
                except ApiRefused as error:
                    why = str(error)
                except Broken as broken:
                    why = _refusal(target, str(broken)) if broken.refused else str(broken)
                    if not broken.retryable:
                        raise Broken(why) from None
                    if broken.refused:
                        end = min(end, clock() + REFUSED_SECONDS)
            if client.gone:
                return
            if clock() + pause > end:
                raise Broken(why)
            await self.targets.changed(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause = min(2 * pause, PAUSES[1])

    async def _attempt(self, client: Client, target: Target) -> None:
        peer = await self._open(target)
        try:
            await Relay(client, peer).run()
        finally:
            self._close(peer)

    async def _open(self, target: Target) -> Peer:
        """Open a WebSocket to the pod's port. Raises ApiRefused."""
        pod = f"/api/v1/namespaces/{self.forward.namespace}/pods/{target.pod}"
        query = {"ports": str(target.port)}
        return await self.access.open(f"{pod}/portforward", query, protocol=PROTOCOL)

    def _close(self, peer: Peer) -> None:
        """Close the WebSocket in the background, without waiting for the other side to confirm."""

        async def close() -> None:
            with suppress(OSError, ConnectionClosed):
                await peer.close()

        self._keep(asyncio.ensure_future(close()))

    def _keep(self, task: asyncio.Future[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _refusal(target: Target, message: str) -> str:
    """Return a sentence that explains why the container runtime could not reach the port.

    `message` is the error message of the container runtime.
    """
    if "connection refused" in message.lower():
        return f"nothing listens on port {target.port} of pod {target.pod}"
    return f"port {target.port} of pod {target.pod} cannot be reached: {message}"
