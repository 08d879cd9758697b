"""One connection: passes bytes between a local client and a port of a pod."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from kindctl.forward.channels import DATA, ERROR
from kindctl.forward.client_sockets import has_gone

CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 64 * 1024
"""Until the pod answers, this much of the client's data is kept, so that another pod can get the data."""

SILENT_SECONDS = 60.0
"""If a client has sent everything and its pod sends nothing for this long, the connection is closed.
Otherwise, if nothing shows that the client is gone, a database's backend would wait forever for the next
request."""

CHECK_PAUSES = (0.01, 2.0)
"""Seconds between two checks whether the client is gone. The time starts at the lower number, and doubles
after each check up to the higher number."""

NEVER_REACHED = ("failed to connect", "connection refused", "failed to dial", "no route to host")
"""Phrases in error messages of a container runtime that could not connect to the port. In these cases, no
program has received anything."""


class Broken(Exception):  # noqa: N818 - how a connection ended
    """A connection ended before both sides had sent everything.

    `retryable` means that no program has received anything yet, so another pod may be tried. `refused`
    means that nothing listens on the port.
    """

    def __init__(self, why: str, *, retryable: bool = False, refused: bool = False) -> None:
        super().__init__(why)
        self.retryable = retryable
        self.refused = refused


class Peer(Protocol):
    """The methods of channels.ChannelConnection, a WebSocket to a pod, that are used here."""

    async def recv(self, decode: Literal[False]) -> bytes: ...

    async def send(self, message: bytes) -> None: ...

    async def close(self) -> None: ...


@dataclass
class Client:
    """The local side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: bytearray | None = field(default_factory=bytearray)  # None if it is too much to keep
    answered: bool = False

    @property
    def gone(self) -> bool:
        """Whether the client has closed the connection without having sent anything."""
        return self.reader.at_eof() and not self.sent

    async def read(self) -> bytes:
        """Return the next data, or b"" if the client has sent everything.

        Raises OSError if the connection was reset.
        """
        data = await self.reader.read(CHUNK_BYTES)
        if not self.answered and self.sent is not None:
            self.sent += data
            if len(self.sent) > KEPT_BYTES:
                self.sent = None
        return data

    async def write(self, data: memoryview) -> None:
        self.answered = True
        self.writer.write(data)
        await self.writer.drain()

    def has_left(self) -> bool:
        """Return whether the client has closed its socket. The client has already sent everything."""
        names = [self.writer.get_extra_info(name) for name in ("peername", "sockname")]
        return all(names) and has_gone(names[0][1], names[1][1])

    async def finish(self) -> None:
        """Deliver everything that was written, then close the connection."""
        with suppress(OSError):
            self.writer.close()
            await self.writer.wait_closed()

    def reset(self) -> None:
        """Close the connection so that the client sees an error, not the end of an answer."""
        if (sock := self.writer.get_extra_info("socket")) is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Relay:
    """Passes data between a client and the WebSocket to its pod."""

    client: Client
    peer: Peer
    received: int = 0  # how many messages

    async def run(self) -> None:
        """Pass data until the pod has sent everything, or the client has disconnected. Raises Broken."""
        down = asyncio.ensure_future(self._download())
        up = asyncio.ensure_future(self._upload(down))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            (down if down.done() else up).result()
        except OSError:
            pass  # the client is gone
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _upload(self, down: asyncio.Future[None]) -> None:
        try:
            if self.client.sent:
                await self.peer.send(b"\0" + self.client.sent)
            while data := await self.client.read():
                await self.peer.send(b"\0" + data)
        except ConnectionClosed:
            await asyncio.wait({down})  # which knows why
            return
        await self._until_gone()

    async def _until_gone(self) -> None:
        """Wait until the client has closed its socket, or until the pod has been silent for too long.

        The client has already sent everything.
        """
        seen, silent, pause = self.received, 0.0, CHECK_PAUSES[0]
        while silent < SILENT_SECONDS and not self.client.has_left():
            await asyncio.sleep(pause)
            silent = silent + pause if seen == self.received else 0.0
            seen, pause = self.received, min(2 * pause, CHECK_PAUSES[1])

    async def _download(self) -> None:
        try:
            while True:
                message = await self.peer.recv(decode=False)
                self.received += 1
                if message[0] == DATA:
                    await self.client.write(memoryview(message)[1:])
                elif message[0] == ERROR:
                    raise self._broken(message[1:].decode(errors="replace"))
        except ConnectionClosedOK:
            return
        except ConnectionClosed:
            unheard = not self.client.answered and self.client.sent == bytearray()
            raise Broken("the connection to the pod was lost", retryable=unheard) from None

    def _broken(self, message: str) -> Broken:
        refused = any(sign in message.lower() for sign in NEVER_REACHED)
        repeatable = not self.client.answered and self.client.sent is not None
        return Broken(message, retryable=refused and repeatable, refused=refused)
