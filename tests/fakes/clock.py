"""Time that passes only by sleeping."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FakeClock:
    seconds: float = 1000.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
