"""Has a client that says no more gone, or does it still listen? On the wire both look the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""Of all TCP sockets of this machine (proc_net(5)). Elsewhere than on Linux there is none."""


def has_gone(client_port: int, own_port: int) -> bool:
    """Whether the client's socket belongs to no process any more. False where that cannot be seen: it is on
    another machine."""
    return all_closed(_lines(), client_port, own_port)


def all_closed(lines: Iterable[str], client_port: int, own_port: int) -> bool:
    """By the lines of those tables: local and remote address with the port in hexadecimal, the inode last
    of ten columns, 0 for a socket that was closed. Addresses are not compared: a client may have come by
    ::ffff:127.0.0.1."""
    wanted = (f":{client_port:04X}", f":{own_port:04X}")
    inodes = []
    for line in lines:
        if wanted[0] in line and wanted[1] in line:
            columns = line.split()
            if columns[1].endswith(wanted[0]) and columns[2].endswith(wanted[1]):
                inodes.append(columns[9])
    return bool(inodes) and set(inodes) == {"0"}


def _lines() -> Iterator[str]:
    for table in TABLES:
        try:
            yield from Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
