"""Watches objects, and wakes threads that wait for a change. Each thread then reads what has changed.

One daemon thread per kind serves all waiting threads. Only the metadata of objects is watched, since every
change of an object changes its resourceVersion.
"""

from __future__ import annotations

import json
import threading
import time

from kindctl.errors import ApiError
from kindctl.tools.cluster_discovery import Discovery
from kindctl.tools.cluster_rest import Rest, Stream
from kindctl.tools.protocols import ObjectKind

METADATA = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
SERVED_SECONDS = 120  # the server ends a watch after this
SILENCE_SECONDS = 150.0  # after this long without data the connection is dead (a paused node)


class Changes:
    """Counts the changes of objects, per kind. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts: dict[ObjectKind, int] = {}
        self.closed = threading.Event()

    def note(self, kind: ObjectKind) -> None:
        with self._changed:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._changed.notify_all()

    def count(self, kinds: tuple[ObjectKind, ...]) -> int:
        return sum(self._counts.get(kind, 0) for kind in kinds)

    def wait(self, kinds: tuple[ObjectKind, ...], seen: int, seconds: float) -> None:
        """Wait for at most `seconds` until the number of changes of these kinds differs from `seen`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.count(kinds) != seen or self.closed.is_set(), seconds
            )

    def close(self) -> None:
        self.closed.set()
        with self._changed:
            self._changed.notify_all()


class ChangeWake:
    """A models.Wake that wakes when objects of some kinds change.

    It records which changes each thread has seen. So a thread misses no change, even if the change woke
    only another thread, or happened while the thread was not waiting.
    """

    def __init__(self, changes: Changes, kinds: tuple[ObjectKind, ...]) -> None:
        self._changes = changes
        self._kinds = kinds
        self._start = changes.count(kinds)
        self._seen = threading.local()

    def wait(self, seconds: float) -> None:
        seen: int = getattr(self._seen, "count", self._start)
        self._changes.wait(self._kinds, seen, seconds)
        self._seen.count = self._changes.count(self._kinds)


class Watches:
    """The threads that watch one cluster."""

    def __init__(self, rest: Rest, discovery: Discovery) -> None:
        self._rest = rest
        self._discovery = discovery
        self.changes = Changes()
        self._lock = threading.Lock()
        self._open: dict[ObjectKind, Stream | None] = {}  # what each thread is reading

    def wake(self, *kinds: ObjectKind) -> ChangeWake:
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
        """Stop the watching threads, and wake all threads that wait for a change."""
        self.changes.close()
        with self._lock:
            streams = [stream for stream in self._open.values() if stream is not None]
        for stream in streams:
            stream.interrupt()

    def _watch(self, kind: ObjectKind) -> None:
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

    def _read(self, kind: ObjectKind) -> None:
        """Run one watch until the server ends it. Raises ApiError if it ends in any other way."""
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
                self.changes.note(kind)  # something may have changed before this watch began
                # close() may have been called before it could see this stream
                if not self.changes.closed.is_set():
                    self._follow(kind, stream)
            finally:
                with self._lock:
                    self._open[kind] = None
        if time.monotonic() - started < 1:
            raise ApiError(f"could not {doing}: the API server ended the watch at once")

    def _follow(self, kind: ObjectKind, stream: Stream) -> None:
        for line in stream.lines():
            if self.changes.closed.is_set():
                return
            if line.startswith(b'{"type":"ERROR"'):
                status = json.loads(line)["object"]
                raise ApiError(  # 410: the server no longer knows our resourceVersion
                    f"could not watch {kind[1]}",
                    status=status.get("code"),
                    why=status.get("message", ""),
                )
            self.changes.note(kind)
