"""The errors of a run that ended before every step was ready: they say what was last observed, and what to
do."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import Interrupted, KindctlError, NotReadyError
from kindctl.models import Absent, Differs, NotReady, Ready, State
from kindctl.runner.graph import Task


def describe(state: State | None) -> str:
    """Return a state in words. The state None means that the step has not been observed yet."""
    match state:
        case Absent(what):
            return what or "absent"
        case Differs(what):
            return what
        case NotReady(seen):
            return seen
        case Ready(note):
            return note or "ready"
    return "nothing yet"


def timed_out(what: str, tasks: Sequence[Task]) -> NotReadyError:
    """Return the error for tasks that were not ready in time. The error includes the first cause that was
    found for one of the tasks."""
    seen = [(task.said if task.busy else "") or describe(task.seen) for task in tasks]
    if len(tasks) > 1:
        seen = [f"{task.step.title}: {text}" for task, text in zip(tasks, seen, strict=True)]
    causes = [t.seen.cause for t in tasks if isinstance(t.seen, NotReady) and t.seen.cause]
    cause = causes[0] if causes else None
    return NotReadyError(
        what,
        why="\n".join([f"last seen: {line}" for line in seen] + ([cause.what] if cause else [])),
        fix=cause.fix if cause else "run `kindctl status` and `kindctl logs` for more details",
        output="\n".join(cause.cites) if cause else "",
        code=cause.code if cause else "",
    )


def interrupted(running: Sequence[Task]) -> Interrupted:
    return Interrupted(
        "interrupted",
        why="still running: " + ", ".join(task.step.title for task in running) if running else "",
        fix="run `kindctl up` to continue, or `kindctl down` to remove what was created",
    )


def keeps_changing(task: Task, state: State) -> KindctlError:
    return KindctlError(
        f"{task.step.title}: something else keeps undoing this step",
        why=f"the step was applied {task.applied} times, and then the state was again: {describe(state)}",
        fix="find out what undoes the change: another controller or another person",
        code="keeps-changing",
    )
