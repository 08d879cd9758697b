"""A bounded, steady trickle of requests through the way in, and what became of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.e2e.harness import http

EVERY = 0.05  # seconds
MOST = 4000  # requests


@dataclass
class Trickle:
    """One new connection a request, each after the answer of the one before."""

    url: str
    contains: str
    sent: int = 0
    lost: list[str] = field(default_factory=list)
    controllers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Trickle:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._over.is_set() and self.sent < MOST:
            self.sent += 1
            try:
                answer = http(self.url)
            except OSError as error:
                self.lost.append(f"{time.strftime('%X')} {error}")
            else:
                if answer.status != 200 or self.contains not in answer.body:
                    self.lost.append(f"{time.strftime('%X')} {answer.status}")
                self.controllers.add(answer.headers.get("X-Kindctl-Controller", ""))
            self._over.wait(EVERY)
