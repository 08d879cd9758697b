"""Watches that wake waiters: not what has changed is told, only that looking again may be worth it.

One daemon thread per kind, shared by all waiters. Objects are asked for as metadata alone: a change of
status changes the resourceVersion too.
"""

from __future__ import annotations

import json
import threading
import time

from kindctl.errors import ApiError
from kindctl.tools.cluster_discovery import Discovery
from kindctl.tools.cluster_rest import Rest, Stream

Kind = tuple[str, str]  # (apiVersion, kind)

METADATA = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
SERVED_SECONDS = 120  # the server ends a watch after this
SILENCE_SECONDS = 150.0  # no word for longer: the connection is dead (a paused node)


class Changes:
    """Counts changes per kind. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts: dict[Kind, int] = {}
        self._closed = threading.Event()

    def note(self, kind: Kind) -> None:
        with self._changed:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._changed.notify_all()

    def count(self, kinds: tuple[Kind, ...]) -> int:
        with self._changed:
            return self._count(kinds)

    def wait(self, kinds: tuple[Kind, ...], seen: int, seconds: float) -> None:
        """Until the count of these kinds is no longer `seen`, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._count(kinds) != seen or self._closed.is_set(), seconds
            )

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()

    @property
    def closed(self) -> threading.Event:
        return self._closed

    def _count(self, kinds: tuple[Kind, ...]) -> int:
        return sum(self._counts.get(kind, 0) for kind in kinds)


class ChangeWake:
    """A models.Wake. Each thread that waits has its own count of what it has seen, so that none misses
    a change that another was woken by, nor one that came while it looked."""

    def __init__(self, changes: Changes, kinds: tuple[Kind, ...]) -> None:
        self._changes = changes
        self._kinds = kinds
        self._start = changes.count(kinds)
        self._seen = threading.local()

    def wait(self, seconds: float) -> None:
        seen: int = getattr(self._seen, "count", self._start)
        self._changes.wait(self._kinds, seen, seconds)
        self._seen.count = self._changes.count(self._kinds)


class Watches:
    """The watching threads of one cluster."""

    def __init__(self, rest: Rest, discovery: Discovery) -> None:
        self._rest = rest
        self._discovery = discovery
        self.changes = Changes()
        self._lock = threading.Lock()
        self._open: dict[Kind, Stream | None] = {}  # what each thread reads just now

    def wake(self, *kinds: Kind) -> ChangeWake:
        with self._lock:
            for kind in kinds:
                if kind not in self._open and not self.changes.closed.is_set():
                    self._open[kind] = None
                    name = f"watch {kind[1]}"
                    threading.Thread(
                        target=self._watch, args=(kind,), name=name, daemon=True
                    ).start()
        return ChangeWake(self.changes, kinds)

    def close(self) -> None:
        """Ends the threads and wakes all waiters."""
        self.changes.close()
        with self._lock:
            streams = [stream for stream in self._open.values() if stream is not None]
        for stream in streams:
            stream.interrupt()

    def _watch(self, kind: Kind) -> None:
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            wait_fixed,
            wait_random_exponential,
        )
        from tenacity.stop import stop_when_event_set

        def pause(seconds: float) -> None:
            self.changes.closed.wait(seconds)

        reopening = Retrying(
            retry=retry_if_exception_type(ApiError),
            wait=wait_fixed(0.1) + wait_random_exponential(multiplier=0.2, max=5.0),
            stop=stop_when_event_set(self.changes.closed),
            sleep=pause,
            retry_error_callback=lambda state: None,
        )
        while not self.changes.closed.is_set():
            reopening(self._read, kind)

    def _read(self, kind: Kind) -> None:
        """One watch, until the server ends it. Raises ApiError when it breaks in any other way."""
        resource = self._discovery.find(*kind)
        if resource is None:
            raise ApiError(f"the cluster has no {kind[1]} ({kind[0]})", status=404)
        doing = f"watch {resource.plural}"
        path = resource.path()
        listed = self._rest.request(
            "GET",
            path,
            doing=doing,
            query={"limit": "1"},
            headers={"Accept": METADATA.format("List")},
            retry=False,
        )
        query = {
            "watch": "true",
            "resourceVersion": listed.json()["metadata"]["resourceVersion"],
            "timeoutSeconds": str(SERVED_SECONDS),
        }
        started = time.monotonic()
        headers = {"Accept": METADATA.format("")}
        with self._rest.stream(
            path, doing=doing, query=query, headers=headers, silence=SILENCE_SECONDS
        ) as stream:
            with self._lock:
                self._open[kind] = stream
            try:
                self.changes.note(kind)  # what changed while nobody watched
                if not self.changes.closed.is_set():  # else close() may not have seen this stream
                    self._follow(kind, stream)
            finally:
                with self._lock:
                    self._open[kind] = None
        if time.monotonic() - started < 1:
            raise ApiError(f"could not {doing}: the server ends it at once")

    def _follow(self, kind: Kind, stream: Stream) -> None:
        for line in stream.lines():
            if self.changes.closed.is_set():
                return
            if line.startswith(b'{"type":"ERROR"'):
                status = json.loads(line)["object"]
                raise ApiError(  # 410: history up to our resourceVersion is gone
                    f"could not watch {kind[1]}",
                    status=status.get("code"),
                    why=status.get("message", ""),
                )
            self.changes.note(kind)
