"""Unit tests stay inside this process: no sockets, no other programs.

Python reports what it is about to do to audit hooks (PEP 578), whatever name the code under test calls
it by; a hook that raises prevents it. What is raised is no Exception, so that code which catches those
cannot hide it; and the test fails at its end even if a thread has swallowed it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tenacity

FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
)


TIMEOUT = 60
"""Seconds after which a unit test fails, with the stacks of its threads; the slowest takes three.

Tests on real tools, in the other folders, have limits of their own, or none."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Called for the tests of this folder alone."""
    if item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(TIMEOUT))


class OutsideWorld(BaseException):
    """A unit test reached for a socket or another program."""


class _Guard:
    """Hooks cannot be taken back, so there is one, with a switch."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event in FORBIDDEN:
            self.seen.append(f"{event}{arguments!r}")
            raise OutsideWorld(self.seen[-1])


_guard = _Guard()


@pytest.fixture(autouse=True)
def inside() -> Iterator[list[str]]:
    """What was prevented, so far. A test that does such things on purpose empties the list."""
    _guard.seen = []
    _guard.on = True
    yield _guard.seen
    _guard.on = False
    if _guard.seen:
        pytest.fail(f"a unit test reached outside: {'; '.join(_guard.seen)}")


@pytest.fixture(scope="session", autouse=True)
def short_pauses() -> Iterator[None]:
    """Make every pause between two looks at something a hundredth as long: fakes answer at once."""
    original = tenacity.BaseRetrying.__init__

    def shortened(
        self: tenacity.BaseRetrying,
        *,
        wait: Callable[[tenacity.RetryCallState], float] = lambda state: 0.0,
        **named: Any,
    ) -> None:
        original(self, wait=lambda state: wait(state) / 100, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tenacity.BaseRetrying, "__init__", shortened)
        yield
