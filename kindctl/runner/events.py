"""What happens during a run, as data: the runner emits, a screen shows. Seconds since the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kindctl.models import Report


@dataclass(frozen=True)
class RunStarted:
    environment: str
    steps: tuple[tuple[str, str, tuple[str, ...]], ...]  # (name, title, needs) in display order


@dataclass(frozen=True)
class StepStarted:
    name: str
    at: float


@dataclass(frozen=True)
class StepSaid:
    """A step's own words while it works, or what a wait has seen last."""

    name: str
    at: float
    text: str


@dataclass(frozen=True)
class StepReached:
    name: str
    at: float
    milestone: str


@dataclass(frozen=True)
class StepEnded:
    """`outcome`: ready, failed, cancelled or skipped (its needs did not hold)."""

    name: str
    at: float
    outcome: str
    seconds: float
    changes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class RunEnded:
    report: Report
    at: float


Event = RunStarted | StepStarted | StepSaid | StepReached | StepEnded | RunEnded
Emit = Callable[[Event], None]
