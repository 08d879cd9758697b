"""The graph that the steps of a run form, and each step's place and state in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from kindctl.models import State, Step, StepReport


@dataclass(eq=False)
class Task:
    """A step on its way. Changed under the run's lock only."""

    step: Step
    needs: dict[str, tuple[Task, str]] = field(default_factory=dict)  # -> step, milestone or ""
    above: set[str] = field(default_factory=set)  # names of all that it stands on
    cut: threading.Event = field(default_factory=threading.Event)  # look no more
    started: float | None = None
    ended: float | None = None
    outcome: str = ""
    after: str = ""
    busy: bool = False  # in apply, or in the look after it: let finish when another step fails
    applied: int = 0
    changes: list[str] = field(default_factory=list)
    note: str = ""
    reached: dict[str, float] = field(default_factory=dict)  # milestone -> when
    seen: State | None = None
    said: str = ""
    shown: str = ""
    shown_at: float = float("-inf")

    def held_since(self, milestone: str) -> float | None:
        """When the step, or its milestone, began to hold. A step that is ready has reached them all."""
        if milestone in self.reached:
            return self.reached[milestone]
        return self.ended if self.outcome == "ready" else None

    @property
    def runs(self) -> bool:
        return self.started is not None and self.ended is None

    def report(self) -> StepReport:
        ended = self.ended or 0.0
        started = ended if self.started is None else self.started
        return StepReport(
            name=self.step.name,
            title=self.step.title,
            outcome=self.outcome,
            seconds=ended - started,
            started=started,
            changes=tuple(self.changes),
            note=self.note,
            after=self.after,
        )


def graph_of(steps: Sequence[Step]) -> list[Task]:
    """Raises ValueError for duplicate names, needs that nothing meets, and circles."""
    tasks = {step.name: Task(step) for step in steps}
    if len(tasks) < len(steps):
        names = [step.name for step in steps]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"two steps of the same name: {', '.join(twice)}")
    for task in tasks.values():
        for need in sorted(task.step.needs):
            # A step's name may hold colons ("image:postgres:17"): the whole is tried first.
            name, _, milestone = (need, "", "") if need in tasks else need.rpartition(":")
            if name not in tasks:
                raise ValueError(f"step {task.step.name!r} needs {need!r}, which is no step")
            task.needs[need] = (tasks[name], milestone)
    edges = {name: {n.step.name for n, _ in task.needs.values()} for name, task in tasks.items()}
    try:
        for name in TopologicalSorter(edges).static_order():
            tasks[name].above = edges[name].union(*(tasks[need].above for need in edges[name]))
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"steps need each other in a circle: {circle}") from None
    return list(tasks.values())
