"""Shows the progress of a build: BuildKit's output as one short line, with the time left."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from kindctl.models import Say

TICK = 5.0
WIDTH = 60

_VERTEX = re.compile(r"^#\d+ \[(?!internal\])(?:(?P<stage>[^\]]*?) +)?\d+/\d+\] (?P<what>.+)$")
_NOISE = re.compile(r"--(mount|link|chown|chmod)(=\S+)?\s+|set -[eux]+;\s*")


def instruction(line: str) -> str | None:
    """Return the instruction that a line of BuildKit's output announces ("RUN go build ..."), or None."""
    match = _VERTEX.match(line)
    if match is None:
        return None
    text = " ".join(_NOISE.sub("", match["what"]).replace("\\", " ").split())
    return text if len(text) <= WIDTH else text[: WIDTH - 2].rstrip() + " …"


def duration(seconds: float) -> str:
    """Format an estimate without false precision: 40 s, 1 min 40 s, 12 min."""
    if seconds < 60:
        return f"{max(round(seconds / 5) * 5, 5)} s"
    minutes, rest = divmod(round(seconds / 10) * 10, 60)
    return f"{minutes} min {rest} s" if rest and minutes < 5 else f"{minutes + (rest >= 30)} min"


def time_left(usual: float, elapsed: float) -> str:
    """Describe the time left for a build that usually takes `usual` seconds. Returns "" if `usual` is 0."""
    if not usual:
        return ""
    if elapsed < usual:
        return f"about {duration(usual - elapsed)} left"
    return f"taking longer than the usual {duration(usual)}"


class BuildProgress:
    """Receives the lines of BuildKit's output, and reports the current instruction and the time left.

    Also reports every TICK seconds, because a compiler may print nothing for minutes.
    """

    def __init__(
        self, say: Say, title: str, usual: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._title = title
        self._usual = usual
        self._now = now
        self._started = now()
        self._what = "starting"
        self._reported = ""
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __call__(self, line: str) -> None:
        self.note(instruction(line) or self._what)

    def note(self, text: str) -> None:
        """Report what is being done now. Callers use this directly for work before BuildKit starts."""
        self._what = text
        self.report()

    def report(self) -> None:
        left = time_left(self._usual, self._now() - self._started)
        text = f"{self._title}: {self._what}" + (f" ({left})" if left else "")
        if text != self._reported:
            self._reported = text
            self._say(text)

    def __enter__(self) -> BuildProgress:
        self._ticker.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._ticker.join()

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            try:
                self.report()
            except Exception:  # the run was stopped; the thread that reads the build sees that too
                return
