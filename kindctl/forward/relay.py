"""One connection: bytes between a local client and a port of a pod."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from kindctl.forward.channels import DATA, ERROR
from kindctl.forward.farewell import has_gone

CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 64 * 1024
"""Of what a client has said before its pod answered: it can be said to another pod."""

SILENT_SECONDS = 60.0
"""A client that says no more, and of which cannot be seen that it has gone, is let go when its pod has been
silent for so long: a database's backend would wait for its next word for ever."""

LOOKS = (0.01, 2.0)
"""Seconds after which it is looked whether it has gone: doubled from the one to the other."""

NEVER_REACHED = ("failed to connect", "connection refused", "failed to dial", "no route to host")
"""Words of a container runtime whose connection to the port was not taken: nobody has heard anything."""


class Broken(Exception):  # noqa: N818 - how a connection ended
    """It ended other than by both sides having said all. `again`: nobody has heard anything yet, so that
    another pod may be asked; `refused`: nothing listens on the port."""

    def __init__(self, words: str, *, again: bool = False, refused: bool = False) -> None:
        super().__init__(words)
        self.again = again
        self.refused = refused


class Peer(Protocol):
    """A WebSocket to a pod: a channels.ChannelConnection."""

    async def recv(self, decode: Literal[False]) -> bytes: ...

    async def send(self, message: bytes) -> None: ...

    async def close(self) -> None: ...


@dataclass
class Client:
    """The local side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    said: bytearray | None = field(default_factory=bytearray)  # None: too much to say it again
    answered: bool = False

    @property
    def gone(self) -> bool:
        """Before it has said anything that waits to be read."""
        return self.reader.at_eof() and not self.said

    async def read(self) -> bytes:
        """Empty: it says no more. Raises OSError when it was reset."""
        data = await self.reader.read(CHUNK_BYTES)
        if not self.answered and self.said is not None:
            self.said += data
            if len(self.said) > KEPT_BYTES:
                self.said = None
        return data

    async def write(self, data: memoryview) -> None:
        self.answered = True
        self.writer.write(data)
        await self.writer.drain()

    def has_gone(self) -> bool:
        """Once it says no more."""
        names = [self.writer.get_extra_info(name) for name in ("peername", "sockname")]
        return all(names) and has_gone(names[0][1], names[1][1])

    async def finish(self) -> None:
        """All that was written is delivered."""
        with suppress(OSError):
            self.writer.close()
            await self.writer.wait_closed()

    def reset(self) -> None:
        """The client sees an error, not the end of an answer."""
        if (sock := self.writer.get_extra_info("socket")) is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Relay:
    """A client and the WebSocket to its pod."""

    client: Client
    peer: Peer
    received: int = 0  # messages

    async def run(self) -> None:
        """Until the pod has said all, or the client has gone. Raises Broken."""
        down = asyncio.ensure_future(self._download())
        up = asyncio.ensure_future(self._upload(down))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            (down if down.done() else up).result()
        except OSError:
            pass  # the client has gone
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _upload(self, down: asyncio.Future[None]) -> None:
        try:
            if self.client.said:
                await self.peer.send(b"\0" + self.client.said)
            while data := await self.client.read():
                await self.peer.send(b"\0" + data)
        except ConnectionClosed:
            await asyncio.wait({down})  # which knows why
            return
        await self._until_gone()

    async def _until_gone(self) -> None:
        """It says no more. Until its socket is closed, or nothing more comes for it."""
        seen, silent, pause = self.received, 0.0, LOOKS[0]
        while silent < SILENT_SECONDS and not self.client.has_gone():
            await asyncio.sleep(pause)
            silent = silent + pause if seen == self.received else 0.0
            seen, pause = self.received, min(2 * pause, LOOKS[1])

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
            unheard = not self.client.answered and self.client.said == bytearray()
            raise Broken("the connection to the pod was lost", again=unheard) from None

    def _broken(self, words: str) -> Broken:
        refused = any(sign in words.lower() for sign in NEVER_REACHED)
        repeatable = not self.client.answered and self.client.said is not None
        return Broken(words, again=refused and repeatable, refused=refused)
