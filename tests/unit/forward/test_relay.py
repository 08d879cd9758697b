"""One forwarded connection: what each side hears, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from kindctl.forward import relay
from kindctl.forward.relay import KEPT_BYTES, Broken, Client, Relay
from tests.fakes.peer import FakePeer, client

REFUSED = (
    "failed to connect to localhost:8001 inside namespace: dial tcp4: connect: connection refused"
)


def run(one: Client, peer: FakePeer) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await Relay(one, peer).run()

    asyncio.get_event_loop().run_until_complete(bounded())


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    made.close()
    asyncio.set_event_loop(None)


def test_both_sides_hear_each_other_and_not_the_ports_number() -> None:
    one, writer = client(b"question")
    peer = FakePeer()
    peer.answer = lambda data: peer.say(b"answer to ").say(data).end()
    run(one, peer)
    assert peer.heard == [b"question"]
    assert bytes(writer.data) == b"answer to question"


def test_a_half_closed_client_gets_the_whole_answer() -> None:
    one, writer = client(b"all I say", ends=True)
    peer = FakePeer()

    async def later() -> None:
        task = asyncio.ensure_future(Relay(one, peer).run())
        for part in (b"slow ", b"answer"):
            await asyncio.sleep(0.01)
            peer.say(part)
        peer.end()
        await task

    asyncio.get_event_loop().run_until_complete(later())
    assert bytes(writer.data) == b"slow answer"


def test_a_client_that_is_silent_for_ever_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SILENT_SECONDS", 0.01)
    one, _ = client(b"x", ends=True)
    run(one, FakePeer())  # whose pod would wait for ever


def test_a_client_that_was_reset_ends_it_quietly() -> None:
    one, writer = client()
    writer.gone = True
    run(one, FakePeer().say(b"nobody hears"))
    one, _ = client()
    one.reader.set_exception(ConnectionResetError())
    run(one, FakePeer())


def test_a_refused_port_may_be_asked_again_with_what_was_said() -> None:
    one, writer = client(b"question")
    peer = FakePeer()
    peer.answer = lambda _: peer.fail(REFUSED)
    with pytest.raises(Broken) as caught:
        run(one, peer)
    assert caught.value.retryable
    assert caught.value.refused
    second = FakePeer()
    second.answer = lambda data: second.say(data).end()
    run(one, second)
    assert second.heard == [b"question"]
    assert bytes(writer.data) == b"question"


def test_what_a_pod_may_have_heard_is_not_said_twice() -> None:
    one, _ = client(b"pay 5 euros")
    peer = FakePeer()
    peer.answer = lambda _: peer.fail("read tcp4: connection reset by peer")
    with pytest.raises(Broken) as caught:
        run(one, peer)
    assert not caught.value.retryable
    one, _ = client(b"pay 5 euros")
    peer = FakePeer()
    peer.answer = lambda _: peer.break_()
    with pytest.raises(Broken) as caught:
        run(one, peer)
    assert not caught.value.retryable


def test_a_connection_lost_before_a_word_may_be_made_again() -> None:
    one, _ = client()
    with pytest.raises(Broken) as caught:
        run(one, FakePeer().break_())
    assert caught.value.retryable


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    one, writer = client()
    with pytest.raises(Broken) as caught:
        run(one, FakePeer().say(b"half of").break_())
    assert not caught.value.retryable
    assert bytes(writer.data) == b"half of"


def test_too_much_is_not_kept_to_be_said_again() -> None:
    one, _ = client(b"x" * (KEPT_BYTES + 1), ends=True)
    peer = FakePeer()

    async def refused_late() -> None:
        task = asyncio.ensure_future(Relay(one, peer).run())
        while sum(map(len, peer.heard)) <= KEPT_BYTES:
            await asyncio.sleep(0)
        peer.fail(REFUSED)
        await task

    with pytest.raises(Broken) as caught:
        asyncio.get_event_loop().run_until_complete(refused_late())
    assert not caught.value.retryable
    assert one.sent is None
