"""Short names for Unix sockets: such a name may have at most 108 bytes (unix(7)), but paths may be
longer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Yield a name for the socket that is short enough. It is valid until the end of the `with` block.

    The name of a long path goes through a descriptor of its folder: /proc/self/fd/NUMBER/FILE.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
