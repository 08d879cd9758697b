"""Observes every step of a graph without changing anything: what `kindctl plan` shows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from kindctl.models import Absent, Ready, State, Step
from kindctl.runner.graph import Task, graph_of


def survey(steps: Sequence[Step]) -> list[tuple[Step, State]]:
    """Return the state of each step, in the given order. Steps are observed in parallel where their needs
    allow.

    A step that needs X is not observed unless X is Ready; its state is then Absent("needs X"). If it needs
    only a milestone of X, it is observed unless X is Absent. Raises the first error that observing a step
    raises.
    """
    states: dict[str, Future[State]] = {step.name: Future() for step in steps}

    def observe(task: Task) -> State:
        for need, (other, milestone) in task.needs.items():
            state = states[other.step.name].result()
            if isinstance(state, Absent) if milestone else not isinstance(state, Ready):
                return Absent(f"needs {need}")
        return task.step.observe()

    def store_state(task: Task) -> None:
        try:
            states[task.step.name].set_result(observe(task))
        except BaseException as error:
            states[task.step.name].set_exception(error)

    for task in graph_of(steps):
        threading.Thread(target=store_state, args=(task,), name=task.step.name, daemon=True).start()
    return [(step, states[step.name].result()) for step in steps]
