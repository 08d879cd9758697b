"""One forwarded port."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed

from kindctl.forward.access import Access, ApiRefused
from kindctl.forward.channels import DATA, PROTOCOL
from kindctl.forward.relay import Broken, Client, Peer, Relay
from kindctl.forward.targets import NOT_KNOWN_YET, Target, Targets
from kindctl.models import Forward

WAIT_SECONDS = 30.0
"""How long a connection waits for a ready pod: a rollout, a node that starts again."""

REFUSED_SECONDS = 3.0
"""How long one is tried again where nothing listens: a container that starts again."""

PAUSES = (0.05, 2.0)
PROBE_SECONDS = 0.3


@dataclass
class ForwardedPort:
    """A listener; each connection goes to a pod that is ready when it comes."""

    forward: Forward
    origin: str  # file: of kindctl.yaml; command: of `kindctl forward`
    access: Access
    tell: Callable[[str], None]  # what kept a connection from its pod
    stopped: Callable[[], None] = lambda: None  # tells who holds it

    connections: int = 0  # open now
    served: int = 0  # that have ended
    last_failure: str = ""
    _tasks: set[asyncio.Future[Any]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    def __post_init__(self) -> None:
        of = self.forward
        self.targets = Targets(self.access, of.namespace, of.service, of.port)

    def __str__(self) -> str:
        of = self.forward
        return f"{of.address}:{of.local} to {of.namespace}/{of.service}:{of.port}"

    @property
    def fresh(self) -> bool:
        """Nothing is known of its Service yet."""
        return self.targets.fault == NOT_KNOWN_YET

    async def start(self) -> None:
        """Raises OSError where the port cannot be bound."""
        of = self.forward
        self._server = await asyncio.start_server(self.serve, of.address, of.local)
        self._keep(asyncio.ensure_future(self.targets.watch()))

    async def stop(self) -> None:
        self.stopped()
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def state(self) -> dict[str, Any]:
        """As JSON has it; see protocols.ForwardState."""
        of = self.forward
        return {
            "forward": [of.namespace, of.service, of.port, of.local, of.address],
            "origin": self.origin,
            "pods": [target.pod for target in self.targets.ready()],
            "connections": self.connections,
            "fault": self.targets.why_none(),
            "last_failure": self.last_failure,
        }

    async def probe(self, seconds: float) -> str:
        """Why a connection would not get through just now; empty: one did. The protocol does not say
        that the port has taken a connection, only that it has not."""
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
            return "" if message[0] == DATA else _words(target, message[1:].decode())
        except TimeoutError:
            return ""
        except ConnectionClosed:
            return f"pod {target.pod} closes connections to port {target.port} at once"
        finally:
            self._close(peer)

    # --- a connection ----------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bring one connection of a client to a pod, until either side ends it."""
        task = asyncio.current_task()
        if task is not None:
            self._keep(task)
        client = Client(reader, writer)
        self.connections += 1
        try:
            await self._bring(client)
        except Broken as broken:
            self.last_failure = str(broken)
            self.tell(str(broken))
            client.reset()
        except asyncio.CancelledError:  # by stop(); asyncio would report what a callback raises
            client.reset()
        else:
            await client.finish()
        finally:
            self.connections -= 1
            self.served += 1

    async def _bring(self, client: Client) -> None:
        """To a pod, and to another where the first was not reached. Raises Broken."""
        clock = asyncio.get_running_loop().time
        end = clock() + WAIT_SECONDS
        tried: set[str] = set()
        pause = PAUSES[0]
        while True:
            target = self.targets.choose(tried)
            words = self.targets.why_none() or "no pod is ready"
            if target is not None:
                tried.add(target.pod)
                try:
                    await self._attempt(client, target)
                    return
                except ApiRefused as error:
                    words = str(error)
                except Broken as broken:
                    words = _words(target, str(broken)) if broken.refused else str(broken)
                    if not broken.again:
                        raise Broken(words) from None
                    if broken.refused:
                        end = min(end, clock() + REFUSED_SECONDS)
            if client.gone:
                return
            if clock() + pause > end:
                raise Broken(words)
            await self.targets.changed(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause = min(2 * pause, PAUSES[1])

    async def _attempt(self, client: Client, target: Target) -> None:
        peer = await self._open(target)
        try:
            await Relay(client, peer).run()
        finally:
            self._close(peer)

    async def _open(self, target: Target) -> Peer:
        """Raises ApiRefused."""
        pod = f"/api/v1/namespaces/{self.forward.namespace}/pods/{target.pod}"
        query = {"ports": str(target.port)}
        return await self.access.open(f"{pod}/portforward", query, protocol=PROTOCOL)

    def _close(self, peer: Peer) -> None:
        """Nobody waits for the other side's word of parting."""

        async def close() -> None:
            with suppress(OSError, ConnectionClosed):
                await peer.close()

        self._keep(asyncio.ensure_future(close()))

    def _keep(self, task: asyncio.Future[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _words(target: Target, words: str) -> str:
    """Of a runtime that could not reach the port, in one sentence."""
    if "connection refused" in words.lower():
        return f"nothing listens on port {target.port} of pod {target.pod}"
    return f"port {target.port} of pod {target.pod} cannot be reached: {words}"
