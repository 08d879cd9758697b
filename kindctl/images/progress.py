"""What a build says of itself: BuildKit's plain progress as one short line, with the time left."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from types import TracebackType

from kindctl.models import Say

TICK = 5.0
WIDTH = 60

_VERTEX = re.compile(r"^#\d+ \[(?!internal\])(?:(?P<stage>[^\]]*?) +)?\d+/\d+\] (?P<what>.+)$")
_NOISE = re.compile(r"--(mount|link|chown|chmod)(=\S+)?\s+|set -[eux]+;\s*")


def instruction(line: str) -> str | None:
    """The Dockerfile instruction that a line of BuildKit announces: "RUN go build -o /out/ ./kube"."""
    match = _VERTEX.match(line)
    if match is None:
        return None
    text = " ".join(_NOISE.sub("", match["what"]).replace("\\", " ").split())
    return text if len(text) <= WIDTH else text[: WIDTH - 2].rstrip() + " …"


def duration(seconds: float) -> str:
    """40 s, 1 min 40 s, 12 min: as exact as an estimate may sound."""
    if seconds < 60:
        return f"{max(round(seconds / 5) * 5, 5)} s"
    minutes, rest = divmod(round(seconds / 10) * 10, 60)
    return f"{minutes} min {rest} s" if rest and minutes < 5 else f"{minutes + (rest >= 30)} min"


def time_left(usual: float, elapsed: float) -> str:
    """What is known of a build that usually takes `usual` seconds. Past those there is nothing known."""
    if not usual:
        return ""
    if elapsed < usual:
        return f"about {duration(usual - elapsed)} left"
    return f"taking longer than the usual {duration(usual)}"


class BuildProgress:
    """Takes BuildKit's lines as a Say, tells the build's present instruction, and how long it may still
    take: again from time to time, because a compiler is silent for minutes."""

    def __init__(
        self, say: Say, title: str, usual: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._title = title
        self._usual = usual
        self._now = now
        self._started = now()
        self._what = "starting"
        self._told = ""
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __call__(self, line: str) -> None:
        what = instruction(line)
        if what:
            self._what = what
        self.tell()

    def note(self, text: str) -> None:
        """What happens before BuildKit has begun."""
        self._what = text
        self.tell()

    def tell(self) -> None:
        left = time_left(self._usual, self._now() - self._started)
        text = f"{self._title}: {self._what}" + (f" ({left})" if left else "")
        if text != self._told:
            self._told = text
            self._say(text)

    def __enter__(self) -> BuildProgress:
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._ticker.join()

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            try:
                self.tell()
            except Exception:  # the run was stopped: the thread that reads the build learns it too
                return
