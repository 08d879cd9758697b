"""What happens during a run, as data: the runner emits events and a screen shows them.

Every `at` is in seconds since the start of the run. docs/events.md describes the JSON form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kindctl.models import Report


@dataclass(frozen=True)
class RunStarted:
    """The first event of every run. `steps` holds (name, title, needs) of each step, in display order."""

    environment: str
    steps: tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class StepStarted:
    """The step has started: everything that it needs is ready."""

    name: str
    at: float


@dataclass(frozen=True)
class StepSaid:
    """What the step is doing or, while it waits to become ready, what it last observed."""

    name: str
    at: float
    text: str


@dataclass(frozen=True)
class StepReached:
    """The step has reached a milestone: steps that need "NAME:MILESTONE" may start."""

    name: str
    at: float
    milestone: str


@dataclass(frozen=True)
class StepEnded:
    """The step has ended. `outcome` is ready, failed, cancelled, or skipped (the step never started)."""

    name: str
    at: float
    outcome: str
    seconds: float
    changes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class RunEnded:
    """The last event of every run, whether the run succeeded or not."""

    report: Report
    at: float


Event = RunStarted | StepStarted | StepSaid | StepReached | StepEnded | RunEnded
Emit = Callable[[Event], None]
