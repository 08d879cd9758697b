"""The process that forwards ports: what it is told, what it answers, and when it ends."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kindctl.forward import supervisor as module
from kindctl.forward.forward import ForwardedPort
from kindctl.forward.supervisor import Supervisor
from tests.fakes.peer import FakeAccess, FakeWriter

WEB = ["shop", "web", 80, 8080, "127.0.0.1"]
API = ["shop", "api", 80, 8080, "127.0.0.1"]
OTHER = ["shop", "web", 80, 8081, "127.0.0.1"]
TAKEN = ["shop", "web", 80, 9, "127.0.0.1"]


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Local ports, without sockets. Port 9 is taken."""
    bound: set[int] = set()

    async def start(port: ForwardedPort) -> None:
        if port.forward.local == 9:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        bound.add(port.forward.local)
        port.targets.fault = ""

    async def stop(port: ForwardedPort) -> None:
        bound.discard(port.forward.local)
        port.on_stop()

    async def probe(port: ForwardedPort, seconds: float) -> str:
        return f"asked {port.forward.service}"

    for name, function in (("start", start), ("stop", stop), ("probe", probe)):
        monkeypatch.setattr(ForwardedPort, name, function)
    return bound


def made(folder: Path, *, nodes_gone: bool = False) -> Supervisor:
    (folder / "forward.sock").touch()
    return Supervisor(FakeAccess(), folder / "forward.sock", lambda: nodes_gone, lambda _: None)


async def told(one: Supervisor, request: Any) -> Any:
    reader, writer = asyncio.StreamReader(), FakeWriter()
    reader.feed_data(
        (request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n"
    )
    reader.feed_eof()
    await one.handle(reader, writer)  # type: ignore[arg-type]
    assert writer.closed
    return [json.loads(line) for line in bytes(writer.data).splitlines()]


def test_ports_are_added_listed_and_stopped(tmp_path: Path, listening: set[int]) -> None:
    async def play() -> None:
        one = made(tmp_path)
        assert await told(one, {"do": "add", "forward": WEB, "origin": "file"}) == [{}]
        assert await told(one, {"do": "add", "forward": WEB, "origin": "file"}) == [{}]
        ((listed,),) = [answer["forwards"] for answer in await told(one, {"do": "list"})]
        assert (listed["forward"], listed["origin"]) == (WEB, "file")
        assert listed["fault"] == "there is no Service shop/web"
        assert listening == {8080}
        assert await told(one, {"do": "probe", "forward": WEB}) == [{"fault": "asked web"}]
        assert await told(one, {"do": "stop", "ports": [["127.0.0.1", 8080]]}) == [{}]
        assert listening == set()
        assert one.ended.is_set()  # nothing is left to do

    asyncio.run(play())


def test_what_cannot_be_forwarded_is_said(tmp_path: Path, listening: set[int]) -> None:
    async def play() -> None:
        one = made(tmp_path)
        await told(one, {"do": "add", "forward": WEB})
        (answer,) = await told(one, {"do": "add", "forward": API})
        assert answer == {"error": "127.0.0.1:8080 to shop/web:80", "code": "forwarded"}
        (answer,) = await told(one, {"do": "add", "forward": TAKEN})
        assert answer == {"error": "Address already in use", "code": "port-taken"}
        (answer,) = await told(one, {"do": "probe", "forward": API})
        assert answer == {"fault": "the port is not forwarded"}
        assert listening == {8080}

    asyncio.run(play())


def test_a_held_forward_goes_with_its_line(tmp_path: Path, listening: set[int]) -> None:
    async def play() -> None:
        one = made(tmp_path)
        reader, writer = asyncio.StreamReader(), FakeWriter()
        reader.feed_data(json.dumps({"do": "hold", "forward": WEB}).encode() + b"\n")
        task = asyncio.ensure_future(one.handle(reader, writer))  # type: ignore[arg-type]
        while not listening:
            await asyncio.sleep(0)
        one.ports["127.0.0.1", 8080].report("nothing listens")
        reader.feed_eof()
        await task
        lines = bytes(writer.data).splitlines()
        assert [json.loads(line) for line in lines] == [{}, {"failed": "nothing listens"}]
        assert listening == set()

    asyncio.run(play())


def test_one_who_holds_a_forward_hears_that_it_was_stopped_and_ends_no_other(
    tmp_path: Path, listening: set[int]
) -> None:
    async def play() -> None:
        one = made(tmp_path)
        await told(one, {"do": "add", "forward": OTHER})
        reader, writer = asyncio.StreamReader(), FakeWriter()
        reader.feed_data(json.dumps({"do": "hold", "forward": WEB}).encode() + b"\n")
        task = asyncio.ensure_future(one.handle(reader, writer))  # type: ignore[arg-type]
        while 8080 not in listening:
            await asyncio.sleep(0)
        await told(one, {"do": "stop", "ports": [["127.0.0.1", 8080]]})
        await told(one, {"do": "add", "forward": API})
        async with asyncio.timeout(5):
            await task
        assert writer.closed
        assert listening == {8080, 8081}
        assert one.ports["127.0.0.1", 8080].forward.service == "api"

    asyncio.run(play())


@pytest.mark.parametrize("words", [b"{", b'{"do": "dance"}', b'{"do": "add"}', b"[]"])
def test_what_it_does_not_understand_does_not_end_it(tmp_path: Path, words: bytes) -> None:
    async def play() -> None:
        one = made(tmp_path)
        (answer,) = await told(one, words)
        assert answer["code"] == "forward"
        assert not one.ended.is_set()

    asyncio.run(play())


def test_once_it_ends_it_is_told_nothing_more(tmp_path: Path, listening: set[int]) -> None:
    """Whoever asks hears so by the closed line, and starts another."""

    async def play() -> None:
        one = made(tmp_path)
        await told(one, {"do": "add", "forward": WEB})
        await told(one, {"do": "stop", "ports": [["127.0.0.1", 8080]]})
        assert await told(one, {"do": "add", "forward": WEB}) == []
        assert listening == set()

    asyncio.run(play())


class Server:
    def close(self) -> None: ...


def why_it_ended(one: Supervisor, meanwhile: Callable[[], object] = lambda: None) -> str:
    """`meanwhile`: called once it has begun to look."""
    said: list[str] = []
    one.say = said.append

    async def play() -> None:
        asyncio.get_running_loop().call_later(0.03, meanwhile)
        async with asyncio.timeout(5):
            await one.run(Server())  # type: ignore[arg-type]

    asyncio.run(play())
    return said[-1]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(module, "DEAD_SECONDS", 0.02)


@pytest.mark.usefixtures("hurried")
def test_it_ends_with_the_environments_folder(tmp_path: Path) -> None:
    one = made(tmp_path)
    why = why_it_ended(one, meanwhile=(tmp_path / "forward.sock").unlink)
    assert why == "ending: the environment's folder is gone"


@pytest.mark.usefixtures("hurried")
def test_it_ends_when_no_node_is_left_behind_a_silent_api(tmp_path: Path) -> None:
    one = made(tmp_path, nodes_gone=True)
    one.access.silent_since = 0.0
    assert why_it_ended(one) == "ending: the environment has no nodes left"


@pytest.mark.usefixtures("hurried")
def test_it_ends_when_nobody_asks_anything_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.0)
    assert why_it_ended(made(tmp_path)) == "ending: no request was received"
