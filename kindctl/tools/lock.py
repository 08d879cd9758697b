"""Advisory locks between processes. The kernel releases a lock when its holder ends."""

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
    """Hold the lock of an environment: see `hold`. Raises UsageError for an invalid name."""
    return hold(valid_name(environment), wait=wait, say=say)


@contextmanager
def hold(name: str, *, wait: float, say: Say = lambda _: None) -> Iterator[None]:
    """Hold the lock with this name. Waits at most `wait` seconds for another holder, after telling `say`.

    Raises BusyError, which names the holder's process, when it does not release the lock in time.
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
                    why=f"process {holder or 'unknown'} holds its lock",
                    fix="wait for it" + (f", or stop it: kill -INT {holder}" if holder else ""),
                )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """The descriptor of the file, for `lock`. Closing it releases the lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def lock(descriptor: int, *, wait: float) -> bool:
    """Try to lock the open file for at most `wait` seconds; whether it is locked."""

    def try_once() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if wait == 0:
        return try_once()
    return poll(try_once, until=bool, seconds=wait, pause=(0.1, 0.3))
