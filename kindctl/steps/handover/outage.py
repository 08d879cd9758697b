"""Measures for how long requests to a URL get no correct answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE = 0.02  # seconds between two requests


class OutageMeter:
    """A context manager that sends one request after another from a thread until the context ends.

    `is_right` sends one request and returns whether its answer was correct.
    """

    def __init__(
        self, is_right: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_right = is_right
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="outage", daemon=True)
        self._last_right = clock()
        self._is_lost = False
        self.requests = 0
        self.lost = 0
        self.seconds = (
            0.0  # from the last correct answer before a loss to the next one, or to the end
        )

    def __enter__(self) -> OutageMeter:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)
        if self._is_lost:
            self.seconds += self._clock() - self._last_right

    def _measure(self) -> None:
        while not self._stopped.is_set():
            self.request()
            self._stopped.wait(PAUSE)

    def request(self) -> None:
        """Send one request and count its answer."""
        right = self._is_right()
        now = self._clock()
        self.requests += 1
        if not right:
            self.lost += 1
        elif self._is_lost:
            self.seconds += now - self._last_right
        self._is_lost = not right
        if right:
            self._last_right = now

    def __str__(self) -> str:
        if not self.lost:
            return f"none of {self.requests} requests was lost"
        lost = f"{self.lost} of {self.requests} requests lost"
        return f"{self.seconds:.1f} s without a correct answer ({lost})"
