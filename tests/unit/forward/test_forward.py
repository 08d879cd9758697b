"""A forwarded port: which pod a connection gets, and when it is given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kindctl.forward import forward as module
from kindctl.forward.forward import ForwardedPort
from kindctl.models import Forward
from tests.fakes.peer import FakeAccess, FakePeer, client
from tests.support.endpoints import SERVICE, endpoint, part

REFUSED = "failed to connect to localhost:8080 inside namespace: connect: connection refused"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.001, 0.002))
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(module, "REFUSED_SECONDS", 0.05)
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.01)


def port(access: FakeAccess, *ready: str, told: list[str] | None = None) -> ForwardedPort:
    forward = Forward("shop", "web", 80, 8080)
    made = ForwardedPort(forward, "command", access, (told if told is not None else []).append)
    made.targets.fault = ""
    made.targets.hear({"type": "ADDED", "object": SERVICE})
    know(made, *ready)
    return made


def know(made: ForwardedPort, *ready: str) -> None:
    slices = part(*(endpoint(name, ready=True) for name in ready))
    made.targets.hear({"type": "MODIFIED", "object": slices})


def echo() -> FakePeer:
    peer = FakePeer()
    peer.answer = lambda data: peer.say(data).end()
    return peer


def refusing() -> FakePeer:
    peer = FakePeer()
    peer.answer = lambda _: peer.fail(REFUSED)
    return peer


async def served(made: ForwardedPort, *says: bytes, ends: bool = False) -> Any:
    one, writer = client(*says, ends=ends)
    async with asyncio.timeout(5):
        await made.serve(one.reader, one.writer)
    assert made.connections == 0
    return writer


def test_a_connection_is_brought_to_a_pod_and_back() -> None:
    async def play() -> None:
        peer = echo()
        writer = await served(port(FakeAccess({"a": [peer]}), "a"), b"hello")
        assert bytes(writer.data) == b"hello"
        assert writer.closed
        assert not writer.reset
        await asyncio.sleep(0)
        assert peer.closed

    asyncio.run(play())


@pytest.mark.parametrize("first", ['pods "a" not found', REFUSED])
def test_a_pod_that_was_not_reached_is_passed_over(first: str) -> None:
    async def play() -> None:
        access = FakeAccess({"a": [first if "not found" in first else refusing()], "b": [echo()]})
        made = port(access, "b", "a")  # the turn begins with the second
        writer = await served(made, b"hello")
        assert bytes(writer.data) == b"hello"
        assert access.asked == ["a", "b"]

    asyncio.run(play())


def test_a_connection_waits_for_a_ready_pod() -> None:
    async def play() -> None:
        made = port(FakeAccess({"late": [echo()]}))
        asyncio.get_running_loop().call_later(0.02, know, made, "late")
        writer = await served(made, b"hello")
        assert bytes(writer.data) == b"hello"

    asyncio.run(play())


def test_what_stays_refused_is_told_and_reset() -> None:
    async def play() -> None:
        told: list[str] = []
        made = port(FakeAccess({"a": [refusing() for _ in range(200)]}), "a", told=told)
        writer = await served(made, b"hello")
        assert writer.reset
        assert told == ["nothing listens on port 8080 of pod a"]
        assert made.state()["last_failure"] == told[0]

    asyncio.run(play())


def test_without_any_pod_it_is_told_after_a_while() -> None:
    async def play() -> None:
        told: list[str] = []
        writer = await served(port(FakeAccess(), told=told), b"hello")
        assert writer.reset
        assert told == ["Service shop/web has no pods"]

    asyncio.run(play())


def test_a_client_that_went_meanwhile_is_waited_for_no_longer() -> None:
    async def play() -> None:
        told: list[str] = []
        writer = await served(port(FakeAccess(), told=told), ends=True)
        assert (told, writer.reset) == ([], False)

    asyncio.run(play())


def test_half_an_answer_is_reset_and_not_repeated() -> None:
    async def play() -> None:
        peer = FakePeer()
        peer.answer = lambda _: peer.say(b"half").break_()
        access = FakeAccess({"a": [peer], "b": [echo()]})
        writer = await served(port(access, "b", "a"), b"hello")
        assert bytes(writer.data) == b"half"
        assert writer.reset
        assert access.asked == ["a"]

    asyncio.run(play())


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (FakePeer, ""),
        (lambda: FakePeer().say(b"220 ready"), ""),
        (lambda: FakePeer().fail(REFUSED), "nothing listens on port 8080 of pod a"),
        (lambda: FakePeer().end(), "pod a closes connections to port 8080 at once"),
        (lambda: 'pods "a" is not running', 'pods "a" is not running'),
    ],
)
def test_a_probe_says_whether_a_connection_gets_through(peer: Any, words: str) -> None:
    async def play() -> None:
        made = port(FakeAccess({"a": [peer()]}), "a")
        assert await made.probe(0.1) == words

    asyncio.run(play())


def test_a_probe_without_pods() -> None:
    async def play() -> None:
        assert await port(FakeAccess()).probe(0.01) == "Service shop/web has no pods"

    asyncio.run(play())
