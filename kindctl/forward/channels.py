"""The API server's channel protocol over a WebSocket.

The first byte of each message is a channel: 0 has data, 1 the words of an error; the first message of each
has the port's number alone (k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go). There is no word
for "connected", nor for a side that will say no more.
"""

from __future__ import annotations

from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1


class ChannelConnection(ClientConnection):
    """`recv` gives a channel's byte and what came on it, without the port's number. Data that has arrived
    together is one message: the server cuts it into pieces of 32 kB, and each costs a turn of the loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._greeted: set[int] = set()
        self._arrived: list[memoryview] = []

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._deliver()

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
            channel = event.data[0]
            if channel not in self._greeted:
                self._greeted.add(channel)
                return
            if channel == DATA:
                self._arrived.append(memoryview(event.data)[1:])
                return
        self._deliver()  # it came before this event
        super().process_event(event)

    def _deliver(self) -> None:
        if self._arrived:
            arrived = b"".join((bytes([DATA]), *self._arrived))
            self._arrived.clear()
            super().process_event(Frame(Opcode.BINARY, arrived))
