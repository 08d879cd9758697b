"""Both ends of a forwarded connection in memory: a client that speaks and listens, and a pod behind the API
server's channel protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from kindctl.forward.access import Access, ApiRefused
from kindctl.forward.relay import Client


class FakePeer:
    """A WebSocket to a pod. `say`, `fail`, `end` and `break_` are what the pod's side does."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.closed = False
        self.queue: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self.answer: Callable[[bytes], object] = lambda data: None

    def say(self, data: bytes) -> FakePeer:
        self.queue.put_nowait(b"\0" + data)
        return self

    def fail(self, words: str) -> FakePeer:
        self.queue.put_nowait(b"\1" + words.encode())
        return self

    def end(self) -> FakePeer:
        self.queue.put_nowait(ConnectionClosedOK(None, None))
        return self

    def break_(self) -> FakePeer:
        self.queue.put_nowait(ConnectionClosedError(None, None))
        return self

    async def recv(self, decode: bool | None = None) -> bytes:
        message = await self.queue.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, message: bytes) -> None:
        assert message[:1] == b"\0"
        self.heard.append(bytes(message[1:]))
        self.answer(bytes(message[1:]))

    async def close(self) -> None:
        self.closed = True


class FakeWriter:
    """The local socket, as asyncio's StreamWriter."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.closed = self.reset = self.gone = False
        self.transport = self

    def write(self, data: bytes | memoryview) -> None:
        self.data += data

    async def drain(self) -> None:
        if self.gone:
            raise ConnectionResetError

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None: ...

    def get_extra_info(self, name: str) -> None:
        return None

    def abort(self) -> None:
        self.reset = True


def client(*says: bytes, ends: bool = False) -> tuple[Client, Any]:
    """One that has said this already, and its writer: a FakeWriter."""
    reader, writer = asyncio.StreamReader(), FakeWriter()
    for data in says:
        reader.feed_data(data)
    if ends:
        reader.feed_eof()
    return Client(reader, writer), writer  # type: ignore[arg-type]


class FakeAccess(Access):
    """The API server: pods by name, each with the peers that its next connections get, or the words by
    which they are refused; and watches that say what `events` holds."""

    def __init__(self, pods: Mapping[str, list[FakePeer | str]] | None = None) -> None:
        self.pods = {name: list(peers) for name, peers in (pods or {}).items()}
        self.asked: list[str] = []

    async def open(self, path: str, query: Mapping[str, str], **how: Any) -> Any:
        pod = path.split("/")[-2]
        self.asked.append(pod)
        peers = self.pods.get(pod)
        if not peers:
            raise ApiRefused(f'pods "{pod}" not found', 404)
        peer = peers.pop(0)
        if isinstance(peer, str):
            raise ApiRefused(peer, 500)
        return peer
