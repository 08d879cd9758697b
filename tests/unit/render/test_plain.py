"""Plain lines, as logs and pipes get them."""

from __future__ import annotations

import io

from kindctl.render.plain import Plain
from kindctl.runner.events import (
    Event,
    RunStarted,
    StepReached,
    StepSaid,
    StepStarted,
)
from tests.support.screens import shown


def test_plain_lines_say_who_when_and_what() -> None:
    stream = io.StringIO()

    assert shown(Plain(stream), stream) == [
        "shop: 4 steps",
        "    0.0  start      build the image",
        "    0.0  start      create | the cluster",
        "    0.1             build the image: layer 1",
        "    2.0  start      pods are ready",
        "    3.0  failed     create | the cluster: <port> 80 is taken by nginx",
        "    3.0  cancelled  pods are ready: 1.0 s",
        "    6.0             build the image: layer 3",
        "   12.0  ready      build the image: 12 s, built shop:dev, sha256:1",
        "4 steps in 12 s: 1 ready, 1 failed, 1 cancelled, 1 not started",
    ]


def test_plain_tells_later_what_came_too_soon() -> None:
    stream = io.StringIO()
    events: list[Event] = [
        RunStarted("shop", (("a", "make a", ()), ("b", "make b", ()))),
        StepStarted("a", 0.0),
        StepStarted("b", 0.0),
        StepSaid("a", 1.0, "first"),
        StepSaid("a", 2.0, "second"),
        StepSaid("b", 7.0, "hello"),
    ]

    assert shown(Plain(stream), stream, events)[3:] == [
        "    1.0             make a: first",
        "    7.0             make a: second",
        "    7.0             make b: hello",
    ]


def test_plain_says_nothing_twice() -> None:
    stream = io.StringIO()
    events: list[Event] = [
        RunStarted("shop", (("a", "make a", ()),)),
        StepStarted("a", 0.0),
        StepSaid("a", 1.0, "same"),
        StepReached("a", 20.0, "x"),
        StepReached("a", 40.0, "y"),
    ]

    assert len(shown(Plain(stream), stream, events)) == 3


def test_plain_writes_each_line_at_once() -> None:
    written: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    shown(Plain(Stream()), io.StringIO())

    assert all(text.endswith("\n") and text.count("\n") == 1 for text in written)


def test_what_would_move_the_cursor_is_left_out() -> None:
    stream = io.StringIO()
    events: list[Event] = [
        RunStarted("shop", (("a", "make a", ()),)),
        StepStarted("a", 0.0),
        StepSaid("a", 1.0, "\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m\x08 end"),
    ]

    assert shown(Plain(stream), stream, events)[-1].endswith("make a: red end")
