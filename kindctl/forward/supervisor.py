"""The process that forwards the ports of one environment.

It answers requests on a socket in the environment's folder. Each request and each answer is a line with a
JSON object.

    {"do": "list"}                                        {"forwards": [...]}
    {"do": "add", "forward": [...], "origin": "file"}     {} or {"error": "...", "code": "..."}
    {"do": "hold", "forward": [...]}                      as add; the forward ends with this
                                                          connection, on which each failure is
                                                          reported: {"failed": "..."}; it is closed
                                                          if the forward is stopped
    {"do": "probe", "forward": [...]}                     {"fault": "..."}
    {"do": "stop", "ports": [["127.0.0.1", 8080], ...]}   {}
    {"do": "end"}                                         {}

The process exits on request, when its last forward stops, and if the environment no longer exists: if its
folder is gone, or if the API does not answer and the environment has no nodes.
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

CHECK_SECONDS = 2.0
DEAD_SECONDS = 10.0
"""If the API has not answered for this long, the engine is asked whether the environment still has a node.
This is also the time between two such queries."""
FIRST_SECONDS = 15.0
"""A supervisor ends if it gets no request for this long after its start."""
PROBE_SECONDS = 5.0
LIST_SECONDS = 3.0
"""How long `probe` and `list` wait for the first result of a watch."""

Message = dict[str, Any]  # a request or an answer
Listener = tuple[str, int]  # address, port


@dataclass
class Supervisor:
    """Owns the forwarded ports of an environment, and answers requests.

    The function `nodes_gone` returns whether the environment has no nodes left. It is called in a thread.
    """

    access: Access
    socket: Path
    nodes_gone: Callable[[], bool]
    say: Callable[[str], None]
    ports: dict[Listener, ForwardedPort] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ended = asyncio.Event()  # set when requests are no longer answered
        self._server: asyncio.Server | None = None
        self._last_report = ""
        self._started = time.monotonic()

    async def run(self, server: asyncio.Server) -> None:
        """Run until `end` is called. `server` listens on the control socket and calls `self.handle`."""
        self._server = server
        checks = asyncio.ensure_future(self._check_regularly())
        try:
            await self.ended.wait()
        finally:
            checks.cancel()
            await asyncio.gather(*(port.stop() for port in self.ports.values()))

    def end(self, why: str) -> None:
        """Make `run` end. Requests are no longer answered, so clients start another supervisor."""
        self.say(f"ending: {why}")
        if self._server is not None:
            self._server.close()
        self.ended.set()

    # --- control ---------------------------------------------------------------------------------

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the request of one connection to the control socket."""
        with suppress(OSError):
            line = await reader.readline()
            if not line or self.ended.is_set():
                writer.close()
                return
            try:
                await self._answer(json.loads(line), reader, writer)
            except (KeyError, TypeError, ValueError) as error:
                _write(writer, {"error": f"invalid request: {error!r}", "code": "forward"})
            await writer.drain()
        writer.close()

    async def _answer(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        doing = request["do"]
        if doing == "hold":
            await self._hold(request, reader, writer)
            return
        answers: dict[str, Callable[[Message], Awaitable[Message]]] = {
            "list": self._list,
            "add": self._add,
            "probe": self._probe,
            "stop": self._stop,
            "end": self._end,
        }
        _write(writer, await answers[doing](request))

    async def _list(self, request: Message) -> Message:
        ports = self.ports.values()
        await asyncio.gather(*(port.targets.known(LIST_SECONDS) for port in ports if port.fresh))
        return {"forwards": [port.state() for port in self.ports.values()]}

    async def _add(self, request: Message) -> Message:
        """Start a forward. If the same forward exists already, do nothing."""
        forward = Forward(*request["forward"])
        key = (forward.address, forward.local)
        there = self.ports.get(key)
        if there is not None:
            return {} if there.forward == forward else {"error": str(there), "code": "forwarded"}
        made = ForwardedPort(forward, request.get("origin", "command"), self.access, self._report)
        self.ports[key] = made
        try:
            await made.start()
        except OSError as error:
            del self.ports[key]
            code = "port-taken" if error.errno == errno.EADDRINUSE else "forward"
            return {"error": error.strerror or str(error), "code": code}
        self.say(f"forwarding {made}")
        return {}

    async def _hold(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
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
            return  # another request has stopped it meanwhile
        made.report = lambda words: _write(writer, {"failed": words})
        made.on_stop = reader.feed_eof
        with suppress(OSError):
            await reader.read()  # until the other side closes, or the forward is stopped
        if self.ports.get(key) is made:  # it may have been replaced
            await self._stop({"ports": [key]})

    async def _probe(self, request: Message) -> Message:
        forward = Forward(*request["forward"])
        port = self.ports.get((forward.address, forward.local))
        if port is None or port.forward != forward:
            return {"fault": "the port is not forwarded"}
        return {"fault": await port.probe(PROBE_SECONDS)}

    async def _stop(self, request: Message) -> Message:
        going = [self.ports.pop((a, p), None) for a, p in request["ports"]]
        for port in going:
            if port is not None:
                self.say(f"stopped forwarding {port}")
                await port.stop()
        if not self.ports:
            self.end("no forwards are left")
        return {}

    async def _end(self, request: Message) -> Message:
        self.end("on request")
        return {}

    # --- when it ends ---------------------------------------------------------------------------------

    async def _check_regularly(self) -> None:
        """Check regularly whether this process is still needed, and call `end` if not. Runs until
        cancelled."""
        own = self.socket.stat().st_ino
        asked = time.monotonic()
        served = 0
        gc.freeze()  # leaves only connections to collect below
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if served != (now_served := sum(port.served for port in self.ports.values())):
                served = now_served
                gc.collect()  # a closed connection is a cycle of objects with buffers of 256 kB
            if _inode(self.socket) != own:
                self.end("the environment's folder is gone")
            if not self.ports and time.monotonic() - self._started > FIRST_SECONDS:
                self.end("no request was received")
            if self.access.silent_since is None:
                continue
            now = time.monotonic()
            if now - max(asked, self.access.silent_since) > DEAD_SECONDS:
                asked = now
                if await asyncio.to_thread(self.nodes_gone):
                    self.end("the environment has no nodes left")

    def _report(self, failure: str) -> None:
        """Log a failure, unless it is the same as the previous failure."""
        if failure != self._last_report:
            self._last_report = failure
            self.say(failure)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _write(writer: asyncio.StreamWriter, answer: Message) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
