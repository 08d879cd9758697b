"""Graphs that cannot be walked, and the survey that `plan` and `status` are made of."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from kindctl.models import Absent, Differs, NotReady, Ready
from kindctl.runner.run import run, survey
from tests.fakes.steps import NEVER, FakeStep, Journal, fail, meet, step


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([step("a"), step("a")], "two steps of the same name: a"),
        ([step("a", "b")], "step 'a' needs 'b', which is no step"),
        ([step("a", "b:api")], "step 'a' needs 'b:api', which is no step"),
        ([step("a", "b"), step("b", "c:api"), step("c", "a")], "circle: .* -> .* -> .* -> "),
        ([step("a", "a")], "circle: a -> a"),
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


def test_a_circle_is_named_in_the_direction_of_the_needs() -> None:
    with pytest.raises(ValueError, match="circle") as caught:
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
