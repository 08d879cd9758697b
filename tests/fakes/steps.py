"""Steps that behave: what they make stands in a small world, and looking reads it there.

Nothing here counts calls for its own sake. A step is Absent until something has made it, NotReady
for as many looks as it takes, then Ready; a test may break it again from outside, or hold it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kindctl.models import (
    UNCHANGED,
    Absent,
    Cause,
    Change,
    Differs,
    NotReady,
    Progress,
    Ready,
    State,
    Wake,
)
from kindctl.runner.events import Event, StepEnded, StepReached, StepSaid, StepStarted

E = TypeVar("E")

PATIENCE = 20.0
"""Seconds after which a test that hangs fails. Nothing waits for it in a test that passes."""


@dataclass
class FakeStep:
    """`stands`: it is there already. `slow`: looks that see it NotReady before it is Ready.

    `work` runs inside apply, `look` inside observe: barriers, gates, errors.
    """

    name: str
    needs: frozenset[str] = frozenset()
    stands: bool = False
    slow: int = 0
    work: Callable[[Progress], object] = lambda _: None
    look: Callable[[], object] = lambda: None
    cause: Cause | None = None
    wrong: str = ""  # Differs, and how
    undone: int = 0  # how often something else undoes it right after it was made
    timeout: float = PATIENCE
    wake: Wake | None = None
    applies: int = field(default=0, init=False)
    looks: int = field(default=0, init=False)

    @property
    def title(self) -> str:
        return f"make {self.name}"

    def observe(self) -> State:
        self.looks += 1
        self.look()
        if not self.stands:
            return Absent(f"no {self.name}")
        if self.wrong:
            return Differs(self.wrong)
        if self.slow > 0:
            self.slow -= 1
            return NotReady(f"{self.name} is starting", self.cause)
        return Ready(f"{self.name} works")

    def apply(self, progress: Progress) -> Change:
        self.applies += 1
        self.work(progress)
        if self.undone > 0:
            self.undone -= 1
            return UNCHANGED
        self.stands, self.wrong = True, ""
        return Change((f"made {self.name}",))


def step(name: str, *needs: str, **how: object) -> FakeStep:
    return FakeStep(name, frozenset(needs), **how)  # type: ignore[arg-type]


NEVER = 10**9
"""For `slow`: never Ready."""


class Gate:
    """Holds a thread until the test opens it. `reached` is set once a thread stands before it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, *_: object) -> None:
        self.reached.set()
        assert self._open.wait(PATIENCE), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


def meet(count: int) -> Callable[..., object]:
    """Each of `count` threads goes on only when all are there: proof that they run side by side."""
    barrier = threading.Barrier(count)
    return lambda *_: barrier.wait(PATIENCE)


def fail(error: BaseException) -> Callable[..., object]:
    def work(*_: object) -> None:
        raise error

    return work


class Journal:
    """What a screen would have been told. `on` runs when an event matches: to act in the midst of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._hooks: list[tuple[Callable[[Event], bool], Callable[[], object]]] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        for matches, act in self._hooks:
            if matches(event):
                act()

    def on(self, matches: Callable[[Event], bool], act: Callable[[], object]) -> None:
        self._hooks.append((matches, act))

    def outcomes(self) -> dict[str, str]:
        return {event.name: event.outcome for event in self._of(StepEnded)}

    def started(self) -> list[str]:
        return [event.name for event in self._of(StepStarted)]

    def said(self, name: str) -> list[str]:
        return [event.text for event in self._of(StepSaid) if event.name == name]

    def index(self, kind: type[Event], name: str, milestone: str = "") -> int:
        """The place of the one event of this kind for the step of this name."""
        (found,) = (
            place
            for place, event in enumerate(self.events)
            if isinstance(event, kind)
            and getattr(event, "name", None) == name
            and (not isinstance(event, StepReached) or event.milestone == milestone)
        )
        return found

    def _of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]
