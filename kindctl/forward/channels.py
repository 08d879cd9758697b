"""The channel protocol that the API server uses over a WebSocket.

The first byte of each message is its channel: 0 for data, 1 for an error message. The first message of each
channel contains only the number of the port (k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go).
There is no message for "connected", and none for "everything is sent".
"""

from __future__ import annotations

from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1


class ChannelConnection(ClientConnection):
    """A WebSocket whose `recv` returns the channel's byte and the data that has arrived on that channel.

    The messages that contain only the port's number are skipped. Messages that have arrived together are
    joined, because the server splits data into pieces of 32 kB, and each `recv` costs a turn of the event
    loop.
    """

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
        self._deliver()  # the data that arrived before this event
        super().process_event(event)

    def _deliver(self) -> None:
        if self._arrived:
            arrived = b"".join((bytes([DATA]), *self._arrived))
            self._arrived.clear()
            super().process_event(Frame(Opcode.BINARY, arrived))
