"""One kindctl at a time on an environment: an advisory lock that the kernel drops with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kindctl.errors import BusyError
from kindctl.paths import data_dir, valid_name


def environment_lock(
    environment: str, *, wait: float, say: Callable[[str], None] = lambda _: None
) -> AbstractContextManager[None]:
    """hold() of the environment. Raises UsageError for what is no name."""
    return hold(valid_name(environment), wait=wait, say=say)


@contextmanager
def hold(name: str, *, wait: float, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lock of that name; another holder is waited for, at most `wait` seconds, and said.

    Raises BusyError, naming the holder's process, when it does not let go in time.
    """
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

    folder = data_dir() / "locks"  # not the environment's own folder: `down` removes that
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try(descriptor):
            holder = os.pread(descriptor, 64, 0).decode().strip()
            say(f"waiting for another kindctl (process {holder or 'unknown'}) on {name!r}")
            retrying = Retrying(
                retry=retry_if_result(lambda held: not held),
                wait=wait_random(0.1, 0.3),
                stop=stop_after_delay(wait),
                retry_error_callback=lambda _: False,
            )
            if not retrying(_try, descriptor):
                raise BusyError(
                    f"another kindctl works on {name!r}",
                    why=f"process {holder or 'unknown'} holds its lock",
                    fix="wait for it" + (f", or stop it: kill -INT {holder}" if holder else ""),
                )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
