"""Graphs that cannot be walked, the survey behind `kindctl plan`, and waits for a turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from kindctl.errors import Interrupted
from kindctl.images.sources.build import Queue
from kindctl.models import Absent, Differs, NotReady, Progress, Ready, Turn, TurnWait
from kindctl.runner.events import RunEnded
from kindctl.runner.run import run
from kindctl.runner.survey import survey
from tests.fakes.clock import FakeClock
from tests.fakes.steps import NEVER, PATIENCE, FakeStep, Gate, Journal, fail, meet, step


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([step("a"), step("a")], "duplicate step names: a"),
        ([step("a", "b")], "step 'a' needs unknown step 'b'"),
        ([step("a", "b:api")], "step 'a' needs unknown step 'b:api'"),
        ([step("a", "b"), step("b", "c:api"), step("c", "a")], "cycle: .* -> .* -> .* -> "),
        ([step("a", "a")], "cycle: a -> a"),
    ],
)
def test_a_graph_that_cannot_be_walked_is_refused_before_anything(
    steps: list[FakeStep], words: str
) -> None:
    journal = Journal()
    with pytest.raises(ValueError, match=words):
        run("shop", steps, emit=journal, stop=threading.Event())
    with pytest.raises(ValueError, match=words):
        survey(steps)

    assert journal.events == []
    assert all(it.looks == 0 for it in steps)


def test_a_cycle_is_named_in_the_direction_of_the_needs() -> None:
    with pytest.raises(ValueError, match="cycle") as caught:
        survey([step("a", "b"), step("b", "c"), step("c", "a")])

    names = str(caught.value).split(": ")[1].split(" -> ")
    assert all((x, y) in {("a", "b"), ("b", "c"), ("c", "a")} for x, y in pairwise(names))


def test_a_survey_looks_at_everything_and_changes_nothing() -> None:
    steps = [
        step("ready", stands=True),
        step("waiting", stands=True, slow=NEVER),
        step("wrong", stands=True, wrong="port 80 -> 8080"),
        step("missing"),
    ]

    assert [state for _, state in survey(steps)] == [
        Ready("ready works"),
        NotReady("waiting is starting"),
        Differs("port 80 -> 8080"),
        Absent("no missing"),
    ]
    assert all(it.applies == 0 for it in steps)


def test_a_survey_does_not_look_where_needs_do_not_hold() -> None:
    cluster = step("cluster", stands=True, slow=NEVER)
    steps = [
        step("page", "app", stands=True),
        step("app", "cluster", stands=True),
        cluster,
        step("image", "cluster:containerd", stands=True),  # a milestone: it need not be ready
        step("node-image"),
        step("in-node", "node-image:pulled", stands=True),
    ]

    states = {it.name: state for it, state in survey(steps)}
    assert states["app"] == Absent("needs cluster")
    assert states["page"] == Absent("needs app")
    assert states["image"] == Ready("image works")
    assert states["in-node"] == Absent("needs node-image:pulled")
    assert [it.looks for it in steps] == [0, 0, 1, 1, 1, 0]


def test_a_survey_looks_side_by_side() -> None:
    together = meet(4)
    steps = [step(str(n), stands=True, look=together) for n in range(4)]

    assert [state for _, state in survey(steps)] == [Ready(f"{n} works") for n in range(4)]


def test_a_survey_raises_what_a_look_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        survey([step("a", look=fail(ZeroDivisionError())), step("b", "a")])


# --- waiting for a turn --------------------------------------------------------------------------


def test_a_wait_for_a_turn_is_recorded_with_the_step_that_had_it() -> None:
    clock, queue = FakeClock(), Queue()
    first_has_it, waiting = threading.Event(), threading.Semaphore(0)

    def first(progress: Progress) -> None:
        with queue.turn(1, progress.say):
            first_has_it.set()
            for _ in range(2):
                assert waiting.acquire(timeout=PATIENCE)
            clock.sleep(6)

    def later(seconds: float) -> Callable[[Progress], None]:
        def work(progress: Progress) -> None:
            def say(text: str) -> None:
                progress.say(text)
                if text is Turn.WAITING:
                    waiting.release()

            assert first_has_it.wait(PATIENCE)
            with queue.turn(seconds, say):
                clock.sleep(seconds)

        return work

    steps = [step("short", work=later(1)), step("long", work=later(2)), step("a", work=first)]
    report = run("shop", steps, emit=Journal(), stop=threading.Event(), clock=clock.now)

    assert {it.name: it.waits for it in report.steps} == {
        "a": (),
        "long": (TurnWait(0, 6, "a"),),
        "short": (TurnWait(0, 8, "long"),),
    }
    assert [it.seconds_waited for it in report.steps] == [8, 6, 0]


def test_a_wait_that_is_stopped_is_recorded_up_to_the_end() -> None:
    clock, stop, journal, gate = FakeClock(), threading.Event(), Journal(), Gate()

    def work(progress: Progress) -> None:
        progress.say(Turn.WAITING)
        clock.sleep(7)
        stop.set()
        gate()

    with pytest.raises(Interrupted):
        run("shop", [step("a", work=work)], emit=journal, stop=stop, clock=clock.now)
    gate.open()
    ended = journal.events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.report.steps[0].waits == (TurnWait(0, 7, ""),)
