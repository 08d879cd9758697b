"""Locks between kindctl processes. The kernel releases a lock when the process that holds it exits."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kindctl.errors import BusyError
from kindctl.models import Say
from kindctl.paths import data_dir, valid_name
from kindctl.runner.polling import poll


def environment_lock(
    environment: str, *, wait: float, say: Say = lambda _: None
) -> AbstractContextManager[None]:
    """Return a context manager that holds the lock of an environment, like `hold`.

    Raises UsageError if the name of the environment is invalid.
    """
    return hold(valid_name(environment), wait=wait, say=say)


@contextmanager
def hold(name: str, *, wait: float, say: Say = lambda _: None) -> Iterator[None]:
    """Hold the lock with this name until the end of the `with` block.

    If another process holds the lock, report that to `say` and wait for at most `wait` seconds. If the
    other process still holds the lock after that time, raise BusyError, which names that process.
    """
    folder = data_dir() / "locks"  # not the environment's own folder: `down` removes that
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = open_lock_file(folder / f"{name}.lock")
    try:
        if not lock(descriptor, wait=0):
            holder = os.pread(descriptor, 64, 0).decode().strip()
            say(f"waiting for another kindctl (process {holder or 'unknown'}) on {name!r}")
            if not lock(descriptor, wait=wait):
                raise BusyError(
                    f"another kindctl is working on {name!r}",
                    why=f"process {holder or 'unknown'} holds the lock",
                    fix="wait for that process"
                    + (f", or stop it: kill -INT {holder}" if holder else ""),
                )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """Open a file and return its descriptor, for `lock`. Closing the descriptor releases the lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def lock(descriptor: int, *, wait: float) -> bool:
    """Try to lock an open file for at most `wait` seconds, and return whether that succeeded."""

    def try_once() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if wait == 0:
        return try_once()
    return poll(try_once, until=bool, seconds=wait, pause=(0.1, 0.3))
