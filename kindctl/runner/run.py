"""Walks a graph of steps: each in a thread of its own as soon as its needs hold.

One thread, that of `run`, decides: it starts steps, watches their time and cuts them. The others look,
apply and wait, each at one step. All of them change the state under one lock, and events are emitted
under it: in order, and one at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial

from tenacity import Retrying, retry_if_not_result, wait_exponential, wait_random
from tenacity.stop import stop_when_event_set

from kindctl.errors import CauseError, Interrupted, KindctlError, NotReadyError
from kindctl.models import Absent, Cause, Differs, NotReady, Ready, Report, State, Step
from kindctl.runner.events import (
    Emit,
    Event,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReached,
    StepSaid,
    StepStarted,
)
from kindctl.runner.graph import Task, graph_of

MAX_APPLIES = 3
TICK = 0.1  # seconds in which the deciding thread notices `stop` and deadlines
SAY_EVERY = 0.2  # seconds between two lines of one step
SLICE = 0.25  # seconds for which a wake may be blind to being cut
SETTLE = 0.05  # seconds between two looks, however often a wake returns

PAUSES = wait_exponential(multiplier=0.05, max=0.9) + wait_random(0, 0.1)


def run(
    environment: str,
    steps: Sequence[Step],
    *,
    emit: Emit,
    stop: threading.Event,
    timeout: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    urls: Callable[[], Sequence[str]] = tuple,
    kubeconfig: str = "",
) -> Report:
    """Make every step hold. `timeout` is for the whole, in seconds; each step has its own besides.

    The first failure starts no more steps, cuts those that only wait, lets running applies finish, and
    is raised, with the failures that came after it as its notes. `stop` and `timeout` end the run at
    once: an apply that still runs is left behind in its daemon thread.

    `urls` (asked at the end) and `kubeconfig` are what the report names when all holds.

    Raises ValueError for a graph that cannot be walked, CauseError for a permanent cause newer than
    this run, NotReadyError for time-outs, Interrupted for `stop`, and what a step raises.
    """
    walk = _Run(environment, steps, emit=emit, stop=stop, timeout=timeout, clock=clock)
    return walk.finish(urls, kubeconfig)


def survey(steps: Sequence[Step]) -> list[tuple[Step, State]]:
    """The state of every step, in the given order, side by side where needs allow. Changes nothing.

    A step is Absent("needs X"), without being looked at, while X is not Ready; for a milestone of X,
    while X is Absent. Raises the first error that a look raises.
    """
    tasks = graph_of(steps)
    states: dict[str, Future[State]] = {step.name: Future() for step in steps}

    def look(task: Task) -> State:
        for need, (other, milestone) in task.needs.items():
            state = states[other.step.name].result()
            if isinstance(state, Absent) if milestone else not isinstance(state, Ready):
                return Absent(f"needs {need}")
        return task.step.observe()

    def settle(task: Task) -> None:
        try:
            states[task.step.name].set_result(look(task))
        except BaseException as error:
            states[task.step.name].set_exception(error)

    for task in tasks:
        threading.Thread(target=settle, args=(task,), name=task.step.name, daemon=True).start()
    return [(step, states[step.name].result()) for step in steps]


# --- the run -------------------------------------------------------------------------------------


class _Run:
    def __init__(
        self,
        environment: str,
        steps: Sequence[Step],
        *,
        emit: Emit,
        stop: threading.Event,
        timeout: float | None,
        clock: Callable[[], float],
    ) -> None:
        self._environment = environment
        self._tasks = graph_of(steps)
        self._out: Emit | None = emit
        self._stop = stop
        self._timeout = timeout
        self._clock = clock
        self._began = clock()
        # Kubernetes' times are whole seconds: what came within this second counts as new.
        self._since = datetime.now(UTC).replace(microsecond=0)
        self._changed = threading.Condition()
        self._errors: list[BaseException] = []

    def finish(self, urls: Callable[[], Sequence[str]], kubeconfig: str) -> Report:
        """Walk to the end; the report is emitted in any case, the first error raised after it."""
        try:
            self._walk()
        finally:
            with self._changed:
                self._end_all()
                whole = all(task.outcome == "ready" for task in self._tasks)
                report = Report(
                    self._environment,
                    tuple(task.report() for task in self._tasks),
                    self._now(),
                    tuple(urls()) if whole else (),
                    kubeconfig if whole else "",
                )
                self._emit(RunEnded(report, self._now()))
        if self._errors:
            raise self._errors[0]
        return report

    # --- the deciding thread: holds the lock, save while it waits ---

    def _walk(self) -> None:
        with self._changed:
            rows = tuple((t.step.name, t.step.title, tuple(t.needs)) for t in self._tasks)
            self._emit(RunStarted(self._environment, rows))
            while True:
                self._look_at_the_clock()
                self._start()
                if all(task.ended is not None for task in self._tasks):
                    return
                self._changed.wait(TICK)

    def _start(self) -> None:
        for task in self._tasks:
            if task.started is not None or task.ended is not None:
                continue
            since = {need: other.held_since(to) for need, (other, to) in task.needs.items()}
            held = {need: at for need, at in since.items() if at is not None}
            if len(held) < len(since):
                continue
            task.after = max(held, key=held.__getitem__, default="")
            task.started = self._now()
            self._emit(StepStarted(task.step.name, task.started))
            threading.Thread(
                target=self._work, args=(task,), name=f"step {task.step.name}", daemon=True
            ).start()

    def _look_at_the_clock(self) -> None:
        now = self._now()
        if self._stop.is_set():
            self._abandon(_interrupted([task for task in self._tasks if task.runs]))
        elif self._timeout is not None and now >= self._timeout:
            late = [task for task in self._tasks if task.runs]
            self._abandon(_not_ready(f"not ready after {self._timeout:g} s", late))
        for task in self._tasks:
            self._show(task)
            if task.runs and now - (task.started or 0.0) >= task.step.timeout:
                what = f"{task.step.title}: not ready after {task.step.timeout:g} s"
                self._fail(task, _not_ready(what, [task]))

    def _abandon(self, error: KindctlError) -> None:
        """End everything now. After a failure there is only less to wait for: the failure stays first."""
        if not self._errors:
            self._errors.append(error)
        self._end_all()

    def _end_all(self) -> None:
        for task in self._tasks:
            self._end(task, "skipped" if task.started is None else "cancelled")

    # --- the threads of the steps ---

    def _work(self, task: Task) -> None:
        # Time-outs are not tenacity's here: the deciding thread sees those of a blocked look too.
        waiting = Retrying(
            retry=retry_if_not_result(lambda state: isinstance(state, Ready)),
            stop=stop_when_event_set(task.cut),
            wait=PAUSES,
            sleep=partial(_pause, task, self._clock),
            retry_error_callback=lambda retry: retry.outcome and retry.outcome.result(),
        )
        try:
            state = waiting(self._look, task)
        except BaseException as error:  # a thread that ends without a word would hang the run
            with self._changed:
                self._fail(task, error)
        else:
            with self._changed:
                if isinstance(state, Ready):
                    self._end(task, "ready", state.note)
                else:
                    self._end(task, "cancelled")

    def _look(self, task: Task) -> State:
        state = task.step.observe()
        if isinstance(state, Absent | Differs) and self._may_apply(task, state):
            change = task.step.apply(_Voice(self, task))
            with self._changed:
                task.changes += change.done
                if self._lost(task):
                    return state
            state = task.step.observe()
        with self._changed:
            task.busy = False
            task.seen = state
            if isinstance(state, NotReady):
                self._say(task, state.seen)
        cause = state.cause if isinstance(state, NotReady) else None
        if cause and cause.permanent and self._is_new(cause):
            raise CauseError(cause.what, why="\n".join(cause.cites), fix=cause.fix, code=cause.code)
        return state

    def _may_apply(self, task: Task, state: Absent | Differs) -> bool:
        """False when the step was cut. Raises KindctlError when it was applied often enough."""
        with self._changed:
            task.seen = state
            if task.cut.is_set():
                return False
            if task.applied == MAX_APPLIES:
                raise KindctlError(
                    f"{task.step.title}: does not stay as it was made",
                    why=f"made so {MAX_APPLIES} times, and seen again: {_words(state)}",
                    fix="find out what else changes it: another controller, another person",
                    code="keeps-changing",
                )
            task.applied += 1
            task.busy = True
            if isinstance(state, Differs):
                self._say(task, state.what)
            return True

    def _lost(self, task: Task) -> bool:
        """Whether something that it stands on, perhaps by a milestone alone, has failed."""
        return any(
            other.outcome == "failed" for other in self._tasks if other.step.name in task.above
        )

    def _is_new(self, cause: Cause) -> bool:
        """An older cause may be about what this run has just repaired."""
        if cause.since is None:
            return True
        since = cause.since if cause.since.tzinfo else cause.since.replace(tzinfo=UTC)
        return since >= self._since

    # --- both; the lock is held ---

    def _fail(self, task: Task, error: BaseException) -> None:
        if task.ended is not None:
            return
        title = task.step.title
        if not isinstance(error, KindctlError):
            error.add_note(f"in step {task.step.name!r} ({title})")
        if self._errors:
            self._errors[0].add_note(f"also failed: {title}: {error}")
        self._errors.append(error)
        self._end(task, "failed", str(error))
        self._halt()

    def _halt(self) -> None:
        for task in self._tasks:
            task.cut.set()
            if task.started is None:
                self._end(task, "skipped")
            elif not task.busy:
                self._end(task, "cancelled")

    def _end(self, task: Task, outcome: str, note: str = "") -> None:
        if task.ended is not None:
            return
        task.ended = self._now()
        task.outcome, task.note = outcome, note
        task.cut.set()
        report = task.report()
        self._emit(
            StepEnded(report.name, task.ended, outcome, report.seconds, report.changes, report.note)
        )
        self._changed.notify_all()

    def _say(self, task: Task, text: str) -> None:
        task.said = " ".join(text.split())
        self._show(task)

    def _show(self, task: Task) -> None:
        """Emit what it said last, unless it was said or it is too soon; the deciding thread comes back."""
        now = self._now()
        if task.runs and task.said not in ("", task.shown) and now - task.shown_at >= SAY_EVERY:
            task.shown, task.shown_at = task.said, now
            self._emit(StepSaid(task.step.name, now, task.said))

    def _reach(self, task: Task, milestone: str) -> None:
        if task.runs and milestone not in task.reached:
            task.reached[milestone] = self._now()
            self._emit(StepReached(task.step.name, task.reached[milestone], milestone))
            self._changed.notify_all()

    def _emit(self, event: Event) -> None:
        if self._out is None:
            return
        try:
            self._out(event)
        except Exception as error:  # the screen is gone (a closed pipe): nobody sees the rest
            self._out = None
            self._errors.append(error)
            self._halt()

    def _now(self) -> float:
        return self._clock() - self._began


class _Voice:
    """The Progress of one step."""

    def __init__(self, of: _Run, task: Task) -> None:
        self._run = of
        self._task = task

    def reach(self, milestone: str) -> None:
        with self._run._changed:
            self._run._reach(self._task, milestone)

    def say(self, text: str) -> None:
        with self._run._changed:
            self._run._say(self._task, text)


def _pause(task: Task, clock: Callable[[], float], seconds: float) -> None:
    """Until `seconds` are over, the step's wake returns early, or the step is cut."""
    if task.step.wake is None:
        task.cut.wait(seconds)
        return
    end = clock() + seconds
    while not task.cut.is_set() and (left := end - clock()) > 0:
        part = min(left, SLICE)
        before = clock()
        task.step.wake.wait(part)
        if clock() - before < part:
            task.cut.wait(SETTLE)
            return


# --- words ---------------------------------------------------------------------------------------


def _words(state: State | None) -> str:
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


def _not_ready(what: str, late: Sequence[Task]) -> NotReadyError:
    """What was last seen of these steps, and the cause that one of them named."""

    def last(task: Task) -> str:
        return (task.said if task.busy else "") or _words(task.seen)

    seen = [last(late[0])] if len(late) == 1 else [f"{t.step.title}: {last(t)}" for t in late]
    causes = [t.seen.cause for t in late if isinstance(t.seen, NotReady) and t.seen.cause]
    cause = causes[0] if causes else None
    return NotReadyError(
        what,
        why="\n".join([f"last seen: {line}" for line in seen] + ([cause.what] if cause else [])),
        fix=cause.fix if cause else "kindctl status and kindctl logs show more",
        output="\n".join(cause.cites) if cause else "",
        code=cause.code if cause else "",
    )


def _interrupted(running: Sequence[Task]) -> Interrupted:
    return Interrupted(
        "interrupted",
        why="in the middle of: " + ", ".join(task.step.title for task in running)
        if running
        else "",
        fix="kindctl up goes on from here; kindctl down removes what exists",
    )
