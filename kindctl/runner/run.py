"""Runs the steps of a graph: each step runs in its own thread as soon as everything that it needs is ready.

One thread, the caller of `run`, decides: it starts steps, watches their deadlines and cancels them. The
other threads each work on one step: they observe it, apply it and wait until it is ready. All threads
change the tasks under one lock, and emit events under the same lock: in order, one at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tenacity import Retrying, retry_if_not_result, wait_exponential, wait_random
from tenacity.stop import stop_when_event_set

from kindctl.errors import CauseError, KindctlError
from kindctl.models import Absent, Cause, Differs, NotReady, Ready, Report, State, Step, Turn
from kindctl.runner import events, stopped
from kindctl.runner.events import Emit, Event
from kindctl.runner.graph import Task, graph_of

MAX_APPLIES = 3
TICK = 0.1  # seconds until the deciding thread notices `stop` and deadlines
SAY_INTERVAL = 0.2  # least seconds between two StepSaid events of one step
SLICE = 0.25  # seconds for which a Wake may delay the end of a cancelled step
MIN_PAUSE = 0.05  # seconds between two observations, however often a Wake returns

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
    """Apply every step that is absent or differs, and wait until all steps are ready.

    `timeout` limits the whole run, in seconds; each step has its own limit as well. If every step is ready,
    the report includes `kubeconfig` and the result of `urls`, which is called at the end.

    After the first failure, no more steps start. Steps that only wait are cancelled, and each `apply` that
    is running may finish. Then the first failure is raised, with any later failures as its notes. `stop`
    and `timeout` end the run immediately: an apply that is still running is left behind in its daemon
    thread.

    Raises ValueError for an invalid graph, CauseError for a permanent cause that arose during this run,
    NotReadyError for time-outs, Interrupted for `stop`, and whatever a step raises.
    """
    return _Run(environment, graph_of(steps), emit, stop, timeout, clock).finish(urls, kubeconfig)


@dataclass
class _Run:
    environment: str
    tasks: list[Task]
    emit: Emit | None  # None once it has failed
    stop: threading.Event
    timeout: float | None
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._began = self.clock()
        # Kubernetes reports whole seconds: a cause of the same second counts as new.
        self._since = datetime.now(UTC).replace(microsecond=0)
        self._changed = threading.Condition()
        self._errors: list[BaseException] = []
        self._last_turn = ""  # the step that took the turn last

    def finish(self, urls: Callable[[], Sequence[str]], kubeconfig: str) -> Report:
        """Run until every step has ended, emit the report in any case, then raise the first error."""
        try:
            self._walk()
        finally:
            with self._changed:
                self._end_all()
                all_ready = all(task.outcome == "ready" for task in self.tasks)
                report = Report(
                    self.environment,
                    tuple(task.report() for task in self.tasks),
                    self._now(),
                    tuple(urls()) if all_ready else (),
                    kubeconfig if all_ready else "",
                )
                self._emit(events.RunEnded(report, self._now()))
        if self._errors:
            raise self._errors[0]
        return report

    # --- the deciding thread: holds the lock except while it waits ---

    def _walk(self) -> None:
        with self._changed:
            rows = tuple((t.step.name, t.step.title, tuple(t.needs)) for t in self.tasks)
            self._emit(events.RunStarted(self.environment, rows))
            while True:
                self._check_deadlines()
                self._start_what_can()
                if all(task.ended is not None for task in self.tasks):
                    return
                self._changed.wait(TICK)

    def _start_what_can(self) -> None:
        for task in self.tasks:
            if task.started is not None or task.ended is not None:
                continue
            since = {
                need: other.held_since(milestone) for need, (other, milestone) in task.needs.items()
            }
            held = {need: at for need, at in since.items() if at is not None}
            if len(held) < len(since):
                continue
            task.after = max(held, key=held.__getitem__, default="")
            task.started = self._now()
            self._emit(events.StepStarted(task.step.name, task.started))
            threading.Thread(
                target=self._work, args=(task,), name=f"step {task.step.name}", daemon=True
            ).start()

    def _check_deadlines(self) -> None:
        now = self._now()
        running = [task for task in self.tasks if task.running]
        if self.stop.is_set():
            self._abandon(stopped.interrupted(running))
        elif self.timeout is not None and now >= self.timeout:
            self._abandon(stopped.timed_out(f"not ready after {self.timeout:g} s", running))
        for task in self.tasks:
            self._show(task)
            if task.running and now - (task.started or 0.0) >= task.step.timeout:
                what = f"{task.step.title}: not ready after {task.step.timeout:g} s"
                self._fail(task, stopped.timed_out(what, [task]))

    def _abandon(self, error: KindctlError) -> None:
        """End every step immediately. If a step has already failed, the run still raises that step's
        error."""
        if not self._errors:
            self._errors.append(error)
        self._end_all()

    def _end_all(self) -> None:
        for task in self.tasks:
            self._end(task, "skipped" if task.started is None else "cancelled")

    # --- the threads of the steps ---

    def _work(self, task: Task) -> None:
        # tenacity does not watch the time-out: the deciding thread does, even while observe() blocks.
        retrying = Retrying(
            retry=retry_if_not_result(lambda state: isinstance(state, Ready)),
            stop=stop_when_event_set(task.cut),
            wait=PAUSES,
            sleep=partial(_pause, task, self.clock),
            retry_error_callback=lambda retry: retry.outcome and retry.outcome.result(),
        )
        try:
            state = retrying(self._advance, task)
        except BaseException as error:  # an unreported end of a thread would hang the run
            with self._changed:
                self._fail(task, error)
        else:
            with self._changed:
                if isinstance(state, Ready):
                    self._end(task, "ready", state.note)
                else:
                    self._end(task, "cancelled")

    def _advance(self, task: Task) -> State:
        """Observe the step; if it is absent or differs, apply it once and observe it again. Raises
        CauseError for a permanent cause."""
        state = task.step.observe()
        if isinstance(state, Absent | Differs) and self._may_apply(task, state):
            change = task.step.apply(_StepProgress(self, task))
            with self._changed:
                task.changes += change.done
                if self._ancestor_failed(task):
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
        """Whether the step may be applied; False if the step was told to stop. Raises KindctlError after
        MAX_APPLIES attempts."""
        with self._changed:
            task.seen = state
            if task.cut.is_set():
                return False
            if task.applied == MAX_APPLIES:
                raise stopped.keeps_changing(task, state)
            task.applied += 1
            task.busy = True
            if isinstance(state, Differs):
                self._say(task, state.what)
            return True

    def _ancestor_failed(self, task: Task) -> bool:
        """Whether this step depends on a step that has failed. A step that needs only a milestone of
        another step depends on that step too."""
        return any(
            other.outcome == "failed" for other in self.tasks if other.step.name in task.ancestors
        )

    def _is_new(self, cause: Cause) -> bool:
        """Whether the cause arose during this run. This run may have just repaired an older cause."""
        if cause.since is None:
            return True
        since = cause.since if cause.since.tzinfo else cause.since.replace(tzinfo=UTC)
        return since >= self._since

    # --- called by any thread that holds the lock ---

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
        for task in self.tasks:
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
        task.end_wait(task.ended, self._last_turn)
        task.cut.set()
        report = task.report()
        self._emit(
            events.StepEnded(
                report.name, task.ended, outcome, report.seconds, report.changes, report.note
            )
        )
        self._changed.notify_all()

    def _say(self, task: Task, text: str) -> None:
        if text is Turn.WAITING:
            task.waiting_since = self._now()
        elif text is Turn.TAKEN:
            task.end_wait(self._now(), self._last_turn)
            self._last_turn = task.step.name
        task.said = " ".join(text.split())
        self._show(task)

    def _show(self, task: Task) -> None:
        """Emit the latest text that the step said, if it is new. If the previous text was emitted too
        recently, the thread that called `run` emits the new text later."""
        now = self._now()
        if (
            task.running
            and task.said not in ("", task.shown)
            and now - task.shown_at >= SAY_INTERVAL
        ):
            task.shown, task.shown_at = task.said, now
            self._emit(events.StepSaid(task.step.name, now, task.said))

    def _reach(self, task: Task, milestone: str) -> None:
        if task.running and milestone not in task.reached:
            task.reached[milestone] = self._now()
            self._emit(events.StepReached(task.step.name, task.reached[milestone], milestone))
            self._changed.notify_all()

    def _emit(self, event: Event) -> None:
        if self.emit is None:
            return
        try:
            self.emit(event)
        except Exception as error:  # the screen is gone (a closed pipe): nobody sees more
            self.emit = None
            self._errors.append(error)
            self._halt()

    def _now(self) -> float:
        return self.clock() - self._began


@dataclass
class _StepProgress:
    """The Progress that is passed to a step's apply()."""

    run: _Run
    task: Task

    def reach(self, milestone: str) -> None:
        with self.run._changed:
            self.run._reach(self.task, milestone)

    def say(self, text: str) -> None:
        with self.run._changed:
            self.run._say(self.task, text)


def _pause(task: Task, clock: Callable[[], float], seconds: float) -> None:
    """Sleep for `seconds`, or less if the step's Wake returns early or the step is told to stop."""
    if task.step.wake is None:
        task.cut.wait(seconds)
        return
    end = clock() + seconds
    while not task.cut.is_set() and (left := end - clock()) > 0:
        part = min(left, SLICE)
        before = clock()
        task.step.wake.wait(part)
        if clock() - before < part:
            task.cut.wait(MIN_PAUSE)
            return
