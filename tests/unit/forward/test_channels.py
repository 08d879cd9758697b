"""Messages of the channel protocol, as they come in frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from kindctl.forward.channels import ChannelConnection

GREETING = (b"\0\x40\x1f", b"\1\x40\x1f")


def heard(monkeypatch: pytest.MonkeyPatch, turns: list[list[bytes]]) -> list[bytes]:
    """What `recv` would give, of messages that arrive in these turns of the loop."""

    def parse(connection: ClientConnection, turn: list[bytes]) -> None:
        for data in turn:
            connection.process_event(Frame(Opcode.BINARY, data))

    async def play() -> list[bytes]:
        connection: Any = ChannelConnection(ClientProtocol(parse_uri("ws://api/")))
        seen: list[bytes] = []
        connection.response = "the handshake is over"
        connection.recv_messages = Queue(seen.append)
        for turn in turns:
            connection.data_received(turn)
        return seen

    monkeypatch.setattr(ClientConnection, "data_received", parse)
    return asyncio.run(play())


class Queue:
    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self.put = lambda frame: put(bytes(frame.data))


@pytest.mark.parametrize(
    ("turns", "messages"),
    [
        ([[*GREETING]], []),
        ([[*GREETING, b"\0one ", b"\0two"], [b"\0three"]], [b"\0one two", b"\0three"]),
        ([[GREETING[0]], [GREETING[1], b"\0x"]], [b"\0x"]),
        ([[*GREETING, b"\0half", b"\1broken", b"\0"]], [b"\0half", b"\1broken", b"\0"]),
    ],
)
def test_data_that_arrives_together_is_one_message(
    monkeypatch: pytest.MonkeyPatch, turns: list[list[bytes]], messages: list[bytes]
) -> None:
    assert heard(monkeypatch, turns) == messages
