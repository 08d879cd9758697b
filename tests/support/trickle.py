"""A bounded, steady trickle of requests through the way in, and what became of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.support.harness import http

EVERY = 0.05  # seconds
MOST = 4000  # requests


@dataclass
class Trickle:
    """Sends requests one after the other, each on a new connection."""

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


@dataclass
class Steady:
    """A request every twentieth of a second for `seconds`, each on a new connection, whether or not those
    before it have been answered."""

    url: str
    contains: str
    seconds: float
    lost: list[tuple[float, str]] = field(default_factory=list)  # (seconds after the start, why)
    sent: int = 0

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Steady:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        with ThreadPoolExecutor(64) as pool:
            while (at := time.monotonic() - start) < self.seconds:
                self.sent += 1
                pool.submit(self._one, at)
                time.sleep(EVERY)

    def _one(self, at: float) -> None:
        try:
            answer = http(self.url)
        except OSError as error:
            self.lost.append((round(at, 1), str(error)))
        else:
            if answer.status != 200 or self.contains not in answer.body:
                self.lost.append((round(at, 1), str(answer.status)))
