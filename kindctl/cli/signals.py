"""Ctrl-C: the first asks the run to stop, the second ends the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set. When the body fails or is stopped, what still runs below this
    process (a build, kind) is ended: a time-out leaves an apply behind in its thread too."""
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    previous = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except BaseException:
        from kindctl.tools.host import stop_children

        stop_children()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
