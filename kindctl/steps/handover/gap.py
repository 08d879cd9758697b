"""For how long a way in gives no right answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE = 0.02  # seconds between two requests


class Gap:
    """Asks again and again, in a thread, from `start` to `stop`. `holds`: one request; whether its answer
    was right."""

    def __init__(
        self, holds: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._holds = holds
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gap", daemon=True)
        self._last_right = clock()
        self._last_lost = False
        self.requests = 0
        self.lost = 0
        self.seconds = 0.0  # from the last right answer before a loss to the next, or to the end

    def __enter__(self) -> Gap:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)
        if self._last_lost:
            self.seconds += self._clock() - self._last_right

    def _watch(self) -> None:
        while not self._over.is_set():
            self._ask()
            self._over.wait(PAUSE)

    def _ask(self) -> None:
        right = self._holds()
        now = self._clock()
        self.requests += 1
        if not right:
            self.lost += 1
        elif self._last_lost:
            self.seconds += now - self._last_right
        self._last_lost = not right
        if right:
            self._last_right = now

    def __str__(self) -> str:
        if not self.lost:
            return f"no request of {self.requests} was lost"
        return f"{self.seconds:.1f} s without a right answer ({self.lost} of {self.requests} requests lost)"
