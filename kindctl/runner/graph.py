"""The graph that the steps of a run form, and the state of each step in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from kindctl.models import State, Step, StepReport, TurnWait


@dataclass(eq=False)
class Task:
    """A step and its progress in the run. A Task is changed only while the run's lock is held."""

    step: Step
    needs: dict[str, tuple[Task, str]] = field(default_factory=dict)  # -> step, milestone or ""
    ancestors: set[str] = field(default_factory=set)  # names of all steps that it depends on
    cut: threading.Event = field(default_factory=threading.Event)  # set: observe no more
    started: float | None = None
    ended: float | None = None
    outcome: str = ""
    after: str = ""
    busy: bool = False  # in apply, or observing after it: finishes even when another step fails
    applied: int = 0
    changes: list[str] = field(default_factory=list)
    note: str = ""
    reached: dict[str, float] = field(default_factory=dict)  # milestone -> when
    seen: State | None = None
    said: str = ""
    shown: str = ""
    shown_at: float = float("-inf")
    waiting_since: float | None = None  # for its turn
    waits: list[TurnWait] = field(default_factory=list)

    def held_since(self, milestone: str) -> float | None:
        """Return the time at which the step reached the milestone. If the milestone is "", return the time
        at which the step became ready. Return None if that has not happened yet. A step that is ready has
        reached every milestone."""
        if milestone in self.reached:
            return self.reached[milestone]
        return self.ended if self.outcome == "ready" else None

    @property
    def running(self) -> bool:
        return self.started is not None and self.ended is None

    def end_wait(self, now: float, after: str) -> None:
        """If the step has waited for its turn, record how long it waited. `after` is the step that had the
        previous turn."""
        if self.waiting_since is not None:
            self.waits.append(TurnWait(self.waiting_since, now - self.waiting_since, after))
            self.waiting_since = None

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
            waits=tuple(self.waits),
        )


def graph_of(steps: Sequence[Step]) -> list[Task]:
    """Return a task for each step, linked to the tasks of the steps that it needs.

    Raises ValueError for duplicate names, unknown needs and cycles.
    """
    tasks = {step.name: Task(step) for step in steps}
    if len(tasks) < len(steps):
        names = [step.name for step in steps]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"duplicate step names: {', '.join(duplicates)}")
    for task in tasks.values():
        for need in sorted(task.step.needs):
            # A step's name may contain colons ("image:postgres:17"), so the whole is tried first.
            name, _, milestone = (need, "", "") if need in tasks else need.rpartition(":")
            if name not in tasks:
                raise ValueError(f"step {task.step.name!r} needs unknown step {need!r}")
            task.needs[need] = (tasks[name], milestone)
    edges = {name: {n.step.name for n, _ in task.needs.values()} for name, task in tasks.items()}
    try:
        for name in TopologicalSorter(edges).static_order():
            parents = edges[name]
            tasks[name].ancestors = parents.union(*(tasks[parent].ancestors for parent in parents))
    except CycleError as error:
        cycle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"steps need each other in a cycle: {cycle}") from None
    return list(tasks.values())
