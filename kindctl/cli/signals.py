"""Handles Ctrl-C: the first one asks the run to stop, the second one ends the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """A context manager that provides an event, which SIGINT and SIGTERM set.

    If the body raises, child processes that are still running (a build, kind) are terminated: a time-out,
    for example, leaves an apply running in its thread.
    """
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    previous = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except BaseException:
        from kindctl.tools.process import stop_children

        stop_children()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
