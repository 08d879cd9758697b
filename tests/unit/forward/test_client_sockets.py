"""A client that has gone, told from one that only says no more."""

from __future__ import annotations

import pytest

from kindctl.forward.client_sockets import all_closed

CLIENT, OWN = 0xD431, 0x3C48
OURS = "  7: 0100007F:3C48 0100007F:D431 08 00000000:00000000 00:00000000 00000000     0        0 9001 1"


def theirs(inode: str, state: str = "05", address: str = "0100007F") -> str:
    ports = f"{address}:D431 0100007F:3C48"
    return f"  8: {ports} {state} 00000000:00000000 03:000016F8 00000000     0        0 {inode} 3"


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ([OURS, theirs("0")], True),
        ([OURS, theirs("9002")], False),
        ([OURS, theirs("0", "06")], True),  # remembered for late packets only
        ([OURS, theirs("9002", address="0000000000000000FFFF00000100007F")], False),
        ([OURS], False),  # on another machine
        ([OURS, theirs("0"), theirs("9002", address="0200007F")], False),  # which of them it is
        ([], False),
    ],
)
def test_a_socket_of_no_process_is_closed(lines: list[str], gone: bool) -> None:
    assert all_closed(lines, CLIENT, OWN) is gone
