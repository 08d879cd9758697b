"""What the runner promises, shown on steps that behave.

Nothing is asserted of times: where two things must overlap, each waits for the other.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from kindctl.errors import CauseError, Interrupted, KindctlError, NotReadyError
from kindctl.models import Cause, Progress, Report
from kindctl.runner.events import (
    Event,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReached,
    StepSaid,
    StepStarted,
)
from kindctl.runner.run import SLICE, run
from tests.fakes.steps import NEVER, PATIENCE, FakeStep, Gate, Journal, fail, meet, step

Go = Callable[..., Report]


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def go(journal: Journal, stop: threading.Event) -> Go:
    def go(*steps: FakeStep, **options: object) -> Report:
        return run("shop", steps, emit=journal, stop=stop, **options)  # type: ignore[arg-type]

    return go


def ended(name: str, outcome: str = "") -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, StepEnded) and event.name == name and outcome in ("", event.outcome)
    )


# --- order ---------------------------------------------------------------------------------------


def test_a_step_starts_when_all_its_needs_have_ended(go: Go, journal: Journal) -> None:
    go(
        step("page", "app", "database"),
        step("app", "cluster"),
        step("database", "cluster"),
        step("cluster"),
    )

    for name, need in [
        ("page", "app"),
        ("page", "database"),
        ("app", "cluster"),
        ("database", "cluster"),
    ]:
        assert journal.index(StepEnded, need) < journal.index(StepStarted, name)


def test_the_display_order_is_the_given_one(go: Go, journal: Journal) -> None:
    report = go(step("b", "a"), step("a"))

    assert journal.events[0] == RunStarted("shop", (("b", "make b", ("a",)), ("a", "make a", ())))
    assert [s.name for s in report.steps] == ["b", "a"]


def test_steps_without_dependency_run_side_by_side(go: Go) -> None:
    together = meet(5)
    report = go(*(step(f"image:{n}", work=together) for n in range(5)))

    assert {s.outcome for s in report.steps} == {"ready"}


def test_looks_run_side_by_side_too(go: Go) -> None:
    together = meet(3)
    report = go(*(step(f"check:{n}", stands=True, look=together) for n in range(3)))

    assert not report.changes


def test_no_step_at_all(go: Go, journal: Journal) -> None:
    assert go().steps == ()
    assert [type(event) for event in journal.events] == [RunStarted, RunEnded]


# --- one step ------------------------------------------------------------------------------------


def test_what_holds_is_not_touched(go: Go, journal: Journal) -> None:
    it = step("a", stands=True)
    (report,) = go(it).steps

    assert (report.outcome, report.changes, report.note) == ("ready", (), "a works")
    assert it.applies == 0


def test_what_is_absent_is_made_and_waited_for(go: Go) -> None:
    it = step("a", slow=3)
    (report,) = go(it).steps

    assert (report.outcome, report.changes) == ("ready", ("made a",))
    assert it.applies == 1


def test_what_differs_is_made_so_and_said(go: Go, journal: Journal) -> None:
    it = step("a", stands=True, wrong="replicas: 1 -> 2")
    (report,) = go(it).steps

    assert report.changes == ("made a",)
    assert journal.said("a") == ["replicas: 1 -> 2"]


def test_what_is_not_ready_is_waited_for_and_not_touched(go: Go, journal: Journal) -> None:
    it = step("a", stands=True, slow=3)
    go(it)

    assert it.applies == 0
    assert journal.said("a") == ["a is starting"]  # three looks, one text


def test_what_is_undone_is_made_again(go: Go) -> None:
    it = step("a", undone=2)
    (report,) = go(it).steps

    assert report.outcome == "ready"
    assert it.applies == 3


def test_what_breaks_during_the_wait_is_made_again(go: Go) -> None:
    it = step("a", slow=5)

    def break_it_once() -> None:
        if it.slow == 2:
            it.stands, it.slow = False, 1

    it.look = break_it_once
    (report,) = go(it).steps

    assert report.changes == ("made a", "made a")


def test_what_does_not_stay_is_made_three_times_and_then_named(go: Go) -> None:
    it = step("a", undone=NEVER)
    with pytest.raises(
        KindctlError, match="make a: something else keeps undoing this step"
    ) as caught:
        go(it)

    assert it.applies == 3
    assert caught.value.code == "keeps-changing"
    assert "no a" in caught.value.why


def test_a_wake_is_what_the_wait_sleeps_on(go: Go) -> None:
    class Wake:
        asked: list[float] = []  # noqa: RUF012 - of this test alone

        def wait(self, seconds: float) -> None:
            self.asked.append(seconds)
            if len(self.asked) == 3:
                it.slow = 0  # only the wake can end this wait

    it = step("a", stands=True, slow=NEVER, wake=Wake())
    go(it)

    assert len(Wake.asked) >= 3
    assert max(Wake.asked) <= SLICE


# --- milestones ----------------------------------------------------------------------------------


def test_a_milestone_lets_others_start_before_the_step_holds(go: Go, journal: Journal) -> None:
    delivered = threading.Event()

    def create(progress: Progress) -> None:
        progress.reach("containerd")
        assert delivered.wait(PATIENCE)

    go(
        step("cluster", work=create),
        step("image", "cluster:containerd", work=lambda _: delivered.set()),
        step("app", "cluster:api", "image"),
    )

    reached = journal.index(StepReached, "cluster", "containerd")
    assert reached < journal.index(StepStarted, "image") < journal.index(StepEnded, "cluster")
    assert journal.index(StepEnded, "cluster") < journal.index(StepStarted, "app")  # api: implied


def test_a_milestone_is_announced_once(go: Go, journal: Journal) -> None:
    def create(progress: Progress) -> None:
        progress.reach("api")
        progress.reach("api")

    go(step("cluster", work=create))

    assert journal.index(StepReached, "cluster", "api")


def test_the_name_of_a_step_may_hold_colons(go: Go) -> None:
    report = go(
        step("image:db:17"), step("in-node", "image:db:17"), step("tag", "image:db:17:pulled")
    )

    assert [s.outcome for s in report.steps] == ["ready"] * 3


def test_what_only_needed_a_milestone_of_a_failed_step_is_cancelled(
    go: Go, journal: Journal
) -> None:
    busy, waiting = Gate(), threading.Event()
    journal.on(ended("cluster"), busy.open)

    def create(progress: Progress) -> None:
        progress.reach("containerd")
        assert busy.reached.wait(PATIENCE)
        assert waiting.wait(PATIENCE)
        raise KindctlError("kubeadm gave up")

    with pytest.raises(KindctlError, match="kubeadm gave up"):
        go(
            step("cluster", work=create),
            step("image", "cluster:containerd", work=busy),
            step("watch", "cluster:containerd", stands=True, slow=NEVER, look=waiting.set),
            step("app", "cluster:api"),
        )

    assert journal.outcomes() == {
        "cluster": "failed",
        "image": "cancelled",  # its apply was let finish, and for nothing
        "watch": "cancelled",
        "app": "skipped",
    }


# --- failure -------------------------------------------------------------------------------------


def test_a_failure_starts_no_more_and_lets_running_applies_finish(go: Go, journal: Journal) -> None:
    gate = Gate()
    journal.on(ended("a"), gate.open)

    def break_down(_: Progress) -> None:
        assert gate.reached.wait(PATIENCE)
        raise KindctlError("no space left")

    after = step("after", "b")
    with pytest.raises(KindctlError, match="no space left"):
        go(step("a", work=break_down), step("b", work=gate), after)

    assert journal.outcomes() == {"a": "failed", "b": "ready", "after": "skipped"}
    assert after.looks == 0
    assert journal.started() == ["a", "b"]


def test_a_failure_cuts_waits_at_once(go: Go, journal: Journal) -> None:
    looked = threading.Event()

    def break_down(_: Progress) -> None:
        assert looked.wait(PATIENCE)
        raise KindctlError("broken")

    with pytest.raises(KindctlError, match="broken"):
        go(step("a", work=break_down), step("pods", stands=True, slow=NEVER, look=looked.set))

    assert journal.outcomes() == {"a": "failed", "pods": "cancelled"}


def test_a_failure_does_not_wait_for_a_look_that_hangs(go: Go, journal: Journal) -> None:
    hung = Gate()

    def break_down(_: Progress) -> None:
        assert hung.reached.wait(PATIENCE)
        raise KindctlError("broken")

    with pytest.raises(KindctlError, match="broken"):
        go(step("a", work=break_down), step("url", stands=True, look=hung))

    assert journal.outcomes()["url"] == "cancelled"
    hung.open()


def test_the_first_failure_is_raised_with_the_others_attached(go: Go, journal: Journal) -> None:
    gate = Gate()
    journal.on(ended("first"), gate.open)

    def second(_: Progress) -> None:
        gate()
        raise KindctlError("second broke")

    def first(_: Progress) -> None:
        assert gate.reached.wait(PATIENCE)
        raise KindctlError("first broke")

    with pytest.raises(KindctlError, match="first broke") as caught:
        go(step("second", work=second), step("first", work=first))

    assert caught.value.__notes__ == ["also failed: make second: second broke"]


@pytest.mark.parametrize("where", ["look", "work"])
def test_an_unknown_exception_is_raised_as_it_is_and_names_its_step(
    where: str, go: Go, journal: Journal
) -> None:
    error = ZeroDivisionError("division by zero")
    with pytest.raises(ZeroDivisionError) as caught:
        go(step("a", **{where: fail(error)}), step("b", "a"))

    assert caught.value is error
    assert error.__notes__ == ["in step 'a' (make a)"]
    assert journal.outcomes() == {"a": "failed", "b": "skipped"}


def test_a_thread_that_tries_to_exit_does_not_hang_the_run(go: Go) -> None:
    with pytest.raises(SystemExit):
        go(step("a", work=fail(SystemExit(3))))


def test_a_screen_that_breaks_ends_the_run_with_its_error(stop: threading.Event) -> None:
    def closed_pipe(event: Event) -> None:
        if isinstance(event, StepEnded):
            raise BrokenPipeError

    after = step("b", "a")
    with pytest.raises(BrokenPipeError):
        run("shop", [step("a"), after], emit=closed_pipe, stop=stop)

    assert after.looks == 0


# --- causes --------------------------------------------------------------------------------------


def pull_failed(permanent: bool = True, since: datetime | None = None) -> Cause:
    return Cause(
        "image-pull", "no such image", "correct its name", ("not found",), permanent, since=since
    )


@pytest.mark.parametrize("since", [None, datetime.now(UTC) + timedelta(hours=1)])
def test_a_permanent_cause_newer_than_the_run_ends_it(since: datetime | None, go: Go) -> None:
    with pytest.raises(CauseError) as caught:
        go(step("pods", slow=NEVER, cause=pull_failed(since=since)))

    error = caught.value
    assert (error.what, error.why, error.fix, error.code) == (
        "no such image",
        "not found",
        "correct its name",
        "image-pull",
    )


@pytest.mark.parametrize(
    "since",
    [
        datetime.now(UTC) - timedelta(hours=1),
        (datetime.now(UTC) - timedelta(hours=1)).replace(tzinfo=None),
    ],
)
def test_a_permanent_cause_older_than_the_run_is_waited_out(since: datetime, go: Go) -> None:
    report = go(step("pods", slow=3, cause=pull_failed(since=since)))

    assert report.steps[0].outcome == "ready"


def test_a_passing_cause_is_waited_out(go: Go) -> None:
    report = go(step("pods", slow=3, cause=pull_failed(permanent=False)))

    assert report.steps[0].outcome == "ready"


# --- time-outs -----------------------------------------------------------------------------------


def said(text: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepSaid) and event.text == text


def test_a_time_out_says_what_was_last_seen_and_the_passing_cause(go: Go, journal: Journal) -> None:
    clock = Clock()
    journal.on(said("pods is starting"), lambda: clock.advance(30))
    cause = Cause("image-pull", "429 Too Many Requests", "use a mirror", ("toomanyrequests",))
    with pytest.raises(NotReadyError) as caught:
        go(step("pods", slow=NEVER, cause=cause, timeout=30), clock=clock)

    error = caught.value
    assert error.what == "make pods: not ready after 30 s"
    assert error.why == "last seen: pods is starting\n429 Too Many Requests"
    assert (error.fix, error.code, error.output) == (
        "use a mirror",
        "image-pull",
        "toomanyrequests",
    )


def test_an_apply_that_hangs_times_out_with_its_last_words(go: Go, journal: Journal) -> None:
    clock, hung = Clock(), Gate()
    journal.on(said("downloading"), lambda: clock.advance(30))

    def work(progress: Progress) -> None:
        progress.say("downloading")
        hung()

    with pytest.raises(NotReadyError) as caught:
        go(step("a", work=work, timeout=30), clock=clock)

    assert caught.value.why == "last seen: downloading"
    assert journal.outcomes() == {"a": "failed"}
    hung.open()


def test_a_look_that_hangs_times_out(go: Go) -> None:
    clock, hung = Clock(), Gate()

    def look() -> None:
        clock.advance(30)
        hung()

    with pytest.raises(NotReadyError, match="make a: not ready after 30 s"):
        go(step("a", look=look, timeout=30), clock=clock)
    hung.open()


def test_the_time_of_a_step_counts_from_its_own_start(stop: threading.Event) -> None:
    clock = Clock()
    steps = [
        step("a", work=lambda _: clock.advance(50), timeout=60),
        step("b", "a", work=lambda _: clock.advance(50), timeout=60),
    ]
    report = run("shop", steps, emit=Journal(), stop=stop, clock=clock)

    assert [(s.started, s.seconds) for s in report.steps] == [(0, 50), (50, 50)]
    assert report.seconds == 100


def test_the_time_of_the_whole_run_ends_everything(go: Go, journal: Journal) -> None:
    clock, hung, seen = Clock(), Gate(), threading.Event()
    journal.on(said("b is starting"), seen.set)

    def work(_: Progress) -> None:
        assert seen.wait(PATIENCE)
        clock.advance(9)
        hung()

    with pytest.raises(NotReadyError) as caught:
        go(
            step("a", work=work),
            step("b", stands=True, slow=NEVER),
            step("c", "a"),
            timeout=9,
            clock=clock,
        )

    assert caught.value.what == "not ready after 9 s"
    assert caught.value.why == "last seen: make a: no a\nlast seen: make b: b is starting"
    assert journal.outcomes() == {"a": "cancelled", "b": "cancelled", "c": "skipped"}
    hung.open()


# --- interruption --------------------------------------------------------------------------------


def test_stop_ends_the_run_though_an_apply_is_blocked(
    go: Go, journal: Journal, stop: threading.Event
) -> None:
    blocked = Gate()

    def work(_: Progress) -> None:
        stop.set()
        blocked()

    with pytest.raises(Interrupted) as caught:
        go(step("a", work=work), step("w", stands=True, slow=NEVER), step("b", "a"))

    assert "make a" in caught.value.why
    assert "kindctl up" in caught.value.fix
    assert "kindctl down" in caught.value.fix
    assert journal.outcomes() == {"a": "cancelled", "w": "cancelled", "b": "skipped"}

    told = len(journal.events)
    (left_behind,) = [thread for thread in threading.enumerate() if thread.name == "step a"]
    assert left_behind.daemon
    blocked.open()
    left_behind.join(PATIENCE)
    assert len(journal.events) == told  # what it still does is nobody's concern


def test_stop_is_seen_through_a_wake_that_never_returns(
    go: Go, journal: Journal, stop: threading.Event
) -> None:
    asleep = Gate()

    class Wake:
        def wait(self, seconds: float) -> None:
            stop.set()
            asleep()

    with pytest.raises(Interrupted):
        go(step("pods", stands=True, slow=NEVER, wake=Wake()))

    assert journal.outcomes() == {"pods": "cancelled"}
    asleep.open()


def test_a_stop_before_the_start_starts_nothing(go: Go, stop: threading.Event) -> None:
    stop.set()
    it = step("a")
    with pytest.raises(Interrupted):
        go(it)

    assert it.looks == 0


def test_a_stop_after_a_failure_leaves_the_failure_first(
    go: Go, journal: Journal, stop: threading.Event
) -> None:
    blocked = Gate()
    journal.on(ended("a"), stop.set)

    def break_down(_: Progress) -> None:
        assert blocked.reached.wait(PATIENCE)
        raise KindctlError("broken")

    with pytest.raises(KindctlError, match="broken"):
        go(step("a", work=break_down), step("b", work=blocked))

    assert journal.outcomes() == {"a": "failed", "b": "cancelled"}
    blocked.open()


# --- events and report ---------------------------------------------------------------------------


def test_words_come_not_too_often_and_the_last_is_not_lost(stop: threading.Event) -> None:
    clock, journal, heard = Clock(), Journal(), threading.Event()
    journal.on(lambda event: isinstance(event, StepSaid) and event.text == "three", heard.set)

    def work(progress: Progress) -> None:
        for text in ("one", "two", "three"):
            progress.say(text)
        clock.advance(1)
        assert heard.wait(PATIENCE)
        clock.advance(1)
        progress.say("three")
        progress.say("four\n  lines ")

    run("shop", [step("a", work=work)], emit=journal, stop=stop, clock=clock)

    assert journal.said("a") == ["one", "three", "four lines"]


def test_events_are_emitted_one_at_a_time_and_in_order(stop: threading.Event) -> None:
    inside = threading.Lock()
    times: list[float] = []

    def screen(event: Event) -> None:
        assert inside.acquire(blocking=False), "two threads tell the screen at once"
        times.append(getattr(event, "at", 0.0))
        inside.release()

    def chatter(progress: Progress) -> None:
        for n in range(50):
            progress.reach(str(n))

    run("shop", [step(str(n), work=chatter) for n in range(8)], emit=screen, stop=stop)

    assert times == sorted(times)
    assert len(times) == 2 + 8 * (50 + 2)


def test_the_report_names_what_let_each_step_start(go: Go, journal: Journal) -> None:
    gate = threading.Event()
    journal.on(ended("image"), gate.set)

    def create(progress: Progress) -> None:
        assert gate.wait(PATIENCE)
        progress.reach("api")

    report = go(
        step("image"),
        step("cluster", work=create),
        step("app", "cluster:api", "image"),
        step("page", "app"),
    )

    after = {s.name: s.after for s in report.steps}
    assert after == {"image": "", "cluster": "", "app": "cluster:api", "page": "app"}


def test_urls_and_kubeconfig_are_reported_when_all_holds(go: Go, journal: Journal) -> None:
    report = go(step("a"), urls=lambda: ["http://localhost"], kubeconfig="/k")
    assert (report.urls, report.kubeconfig) == (("http://localhost",), "/k")

    with pytest.raises(KindctlError):
        go(
            step("a", work=fail(KindctlError("x"))),
            urls=lambda: ["http://localhost"],
            kubeconfig="/k",
        )
    last = journal.events[-1]
    assert isinstance(last, RunEnded)
    assert last.report.urls == ()


# --- any graph -----------------------------------------------------------------------------------


def random_steps(seed: int) -> list[FakeStep]:
    """An acyclic graph in a shuffled order; some needs are milestones, some steps stand already."""
    dice = random.Random(seed)
    made: list[FakeStep] = []
    for n in range(dice.randint(2, 25)):
        others = dice.sample(made, min(len(made), dice.choice([0, 1, 1, 2, 3])))
        needs = [other.name + dice.choice(["", ":half"]) for other in others]
        made.append(step(f"s{n}", *needs, stands=dice.random() < 0.3, slow=dice.choice([0, 0, 1])))
    dice.shuffle(made)
    return made


def halfway(progress: Progress) -> None:
    progress.reach("half")


def check_order(steps: Sequence[FakeStep], journal: Journal) -> None:
    """Every start came after what it needs; every step ended once; the report is the last word."""
    assert sorted(event.name for event in journal.events if isinstance(event, StepEnded)) == sorted(
        it.name for it in steps
    )
    for it in steps:
        if it.name not in journal.started():
            continue
        start = journal.index(StepStarted, it.name)
        assert start < journal.index(StepEnded, it.name)
        for need in it.needs:
            name, _, milestone = need.partition(":")
            before = journal.events[:start]
            holds = any(map(ended(name, "ready"), before))
            reached = any(isinstance(e, StepReached) and e.name == name for e in before)
            assert holds or (milestone and reached), f"{it.name} started before {need}"
    assert isinstance(journal.events[-1], RunEnded)
    assert sum(isinstance(event, RunEnded) for event in journal.events) == 1


@pytest.mark.parametrize("seed", range(15))
def test_any_graph_is_walked_in_order(
    seed: int, go: Go, journal: Journal, stop: threading.Event
) -> None:
    steps = random_steps(seed)
    absent = {it.name for it in steps if not it.stands}
    for it in steps:
        it.work = halfway
    report = go(*steps)

    check_order(steps, journal)
    assert {s.outcome for s in report.steps} == {"ready"}
    assert set(report.changes) == {f"made {name}" for name in absent}

    again = run("shop", steps, emit=Journal(), stop=stop)
    assert not again.changes


@pytest.mark.parametrize("seed", range(15))
def test_in_any_graph_nothing_starts_after_a_failure(seed: int, go: Go, journal: Journal) -> None:
    steps = random_steps(seed)
    culprit = random.Random(seed).choice(steps)
    culprit.stands = False
    for it in steps:
        it.work = halfway
    culprit.work = fail(KindctlError(culprit.name))
    with pytest.raises(KindctlError, match=f"^{culprit.name}$"):
        go(*steps)

    check_order(steps, journal)
    failed = journal.index(StepEnded, culprit.name)
    assert not any(isinstance(event, StepStarted) for event in journal.events[failed:])
    outcomes = journal.outcomes()
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == [culprit.name]
    for it in steps:
        if culprit.name in it.needs:
            assert outcomes[it.name] == "skipped"


@pytest.mark.parametrize("seed", range(15))
def test_any_graph_can_be_stopped_at_any_event(
    seed: int, go: Go, journal: Journal, stop: threading.Event
) -> None:
    steps = random_steps(seed)
    last = random.Random(seed).choice(steps)
    last.slow, last.stands = NEVER, True  # so that the run cannot end before it is stopped
    at = random.Random(seed).randint(1, 2 * len(steps))
    journal.on(lambda _: len(journal.events) >= at or last.name in journal.started(), stop.set)
    with pytest.raises(Interrupted):
        go(*steps)

    check_order(steps, journal)
    assert "failed" not in journal.outcomes().values()


def test_a_run_that_was_stopped_is_gone_on_with(go: Go, stop: threading.Event) -> None:
    steps = [step("a"), step("b", "a", work=lambda _: stop.set()), step("c", "b", slow=2)]
    with pytest.raises(Interrupted):
        go(*steps)
    stop.clear()
    steps[1].work = lambda _: None
    report = go(*steps)

    assert {s.outcome for s in report.steps} == {"ready"}
    assert steps[0].applies == 1
