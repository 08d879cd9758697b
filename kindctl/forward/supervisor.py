"""The process that forwards the ports of one environment.

It is told what to forward over a socket in the environment's folder: a JSON object a line, answered by one.

    {"do": "list"}                                        {"forwards": [...]}
    {"do": "add", "forward": [...], "origin": "file"}     {} or {"error": "...", "code": "..."}
    {"do": "hold", "forward": [...]}                      as add; it goes with this connection, which
                                                          hears what fails: {"failed": "..."},
                                                          and ends when it is stopped
    {"do": "probe", "forward": [...]}                     {"fault": "..."}
    {"do": "stop", "ports": [["127.0.0.1", 8080], ...]}   {}
    {"do": "end"}                                         {}

It ends when it is told so, with its last forward, and when its environment is gone: its folder, or every
container of its nodes while the API does not answer.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindctl.forward.access import Access
from kindctl.forward.forward import ForwardedPort
from kindctl.models import Forward

LOOK_SECONDS = 2.0
DEAD_SECONDS = 10.0
"""The API is silent for so long: is there still a node? Asked again as often."""
FIRST_SECONDS = 15.0
"""A supervisor that nobody has told anything for so long has been started in vain."""
KNOWN_SECONDS = 5.0
LIST_SECONDS = 3.0
"""How long the first watch of a Service is waited for, before it is asked after and in a list."""

Answer = dict[str, Any]
Port = tuple[str, int]  # address, number


@dataclass
class Supervisor:
    """`nodes_gone`: asks, in a thread of its own, whether the environment has no node left."""

    access: Access
    socket: Path
    nodes_gone: Callable[[], bool]
    say: Callable[[str], None]
    ports: dict[Port, ForwardedPort] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ended = asyncio.Event()  # set once nothing more is heard
        self._server: asyncio.Server | None = None
        self._said = ""
        self._started = time.monotonic()

    async def run(self, server: asyncio.Server) -> None:
        """Until it ends; `server`: of the control socket, with `self.hear` as its callback."""
        self._server = server
        look = asyncio.ensure_future(self._look())
        try:
            await self.ended.wait()
        finally:
            look.cancel()
            await asyncio.gather(*(port.stop() for port in self.ports.values()))

    def end(self, why: str) -> None:
        """From here on nothing more is heard: who asks finds nobody, and starts another."""
        self.say(f"ends: {why}")
        if self._server is not None:
            self._server.close()
        self.ended.set()

    # --- control ---------------------------------------------------------------------------------

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            line = await reader.readline()
            if not line or self.ended.is_set():
                writer.close()
                return
            try:
                await self._answer(json.loads(line), reader, writer)
            except (KeyError, TypeError, ValueError) as error:
                _write(writer, {"error": f"not understood: {error!r}", "code": "forward"})
            await writer.drain()
        writer.close()

    async def _answer(
        self, request: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        doing = request["do"]
        if doing == "hold":
            await self._hold(request, reader, writer)
            return
        answers: dict[str, Callable[[Answer], Awaitable[Answer]]] = {
            "list": self._list,
            "add": self._add,
            "probe": self._probe,
            "stop": self._stop,
            "end": self._end,
        }
        _write(writer, await answers[doing](request))

    async def _list(self, request: Answer) -> Answer:
        ports = self.ports.values()
        await asyncio.gather(*(port.targets.known(LIST_SECONDS) for port in ports if port.fresh))
        return {"forwards": [port.state() for port in self.ports.values()]}

    async def _add(self, request: Answer) -> Answer:
        """What is forwarded already is left as it is."""
        forward = Forward(*request["forward"])
        key = (forward.address, forward.local)
        there = self.ports.get(key)
        if there is not None:
            return {} if there.forward == forward else {"error": str(there), "code": "forwarded"}
        made = ForwardedPort(forward, request.get("origin", "command"), self.access, self._tell)
        self.ports[key] = made
        try:
            await made.start()
        except OSError as error:
            del self.ports[key]
            code = "port-taken" if error.errno == errno.EADDRINUSE else "forward"
            return {"error": error.strerror or str(error), "code": code}
        self.say(f"forwards {made}")
        return {}

    async def _hold(
        self, request: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        key = (request["forward"][4], request["forward"][3])
        if key in self.ports:
            _write(writer, {"error": str(self.ports[key]), "code": "forwarded"})
            return
        answer = await self._add({**request, "origin": "held"})
        _write(writer, answer)
        if answer:
            return
        made = self.ports.get(key)
        if made is None:
            return  # stopped meanwhile
        made.tell = lambda words: _write(writer, {"failed": words})
        made.stopped = reader.feed_eof
        with suppress(OSError):
            await reader.read()  # until the other side closes, or it is stopped
        if self.ports.get(key) is made:  # and not another, put in its place
            await self._stop({"ports": [key]})

    async def _probe(self, request: Answer) -> Answer:
        forward = Forward(*request["forward"])
        port = self.ports.get((forward.address, forward.local))
        if port is None or port.forward != forward:
            return {"fault": "it is not forwarded"}
        return {"fault": await port.probe(KNOWN_SECONDS)}

    async def _stop(self, request: Answer) -> Answer:
        going = [self.ports.pop((a, p), None) for a, p in request["ports"]]
        for port in going:
            if port is not None:
                self.say(f"forwards no longer {port}")
                await port.stop()
        if not self.ports:
            self.end("nothing is forwarded any more")
        return {}

    async def _end(self, request: Answer) -> Answer:
        self.end("told to")
        return {}

    # --- its end ---------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Whether there is still something to do."""
        own = self.socket.stat().st_ino
        asked = time.monotonic()
        served = 0
        gc.freeze()  # what is collected below are connections alone
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if served != (now_served := sum(port.served for port in self.ports.values())):
                served = now_served
                gc.collect()  # each holds buffers of 256 kB until then, being a circle of objects
            if _inode(self.socket) != own:
                self.end("the environment's folder is gone")
            if not self.ports and time.monotonic() - self._started > FIRST_SECONDS:
                self.end("nothing was asked of it")
            if self.access.silent_since is None:
                continue
            now = time.monotonic()
            if now - max(asked, self.access.silent_since) > DEAD_SECONDS:
                asked = now
                if await asyncio.to_thread(self.nodes_gone):
                    self.end("the environment has no node any more")

    def _tell(self, words: str) -> None:
        """Into the log, what is new."""
        if words != self._said:
            self._said = words
            self.say(words)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
