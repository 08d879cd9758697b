"""Finds out whether a client that has sent everything has closed its socket, or still waits for an answer.

The packets on the network are the same in both cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""The tables of all TCP sockets of this machine (proc_net(5)). Only Linux has them."""


def has_gone(client_port: int, own_port: int) -> bool:
    """Return whether the client has closed its socket.

    Returns False if this cannot be found out: the client is on another machine, or this is not Linux.
    """
    return all_closed(_lines(), client_port, own_port)


def all_closed(lines: Iterable[str], client_port: int, own_port: int) -> bool:
    """Return whether the lines of TABLES contain the client's socket, and show that the socket is closed.

    Each line has ten columns. The second and third are the local and the remote address, with the port in
    hexadecimal. The last is the inode, which is 0 for a closed socket. Only ports are compared, because
    the client may have used ::ffff:127.0.0.1.
    """
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
