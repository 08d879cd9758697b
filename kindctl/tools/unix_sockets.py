"""Short names for Unix sockets, whose names may not exceed 108 bytes (unix(7)), unlike other paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Yield a name for the socket that is short enough. It is valid until the end of the `with` block.

    If the path is too long, the name is /proc/self/fd/NUMBER/FILE. NUMBER is an open descriptor of the
    socket's folder.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
