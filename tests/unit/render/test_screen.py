"""Plain lines, GitHub Actions, and the choice between the screens."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kindctl.models import Report, StepReport
from kindctl.render.github import GitHub, annotation, summary
from kindctl.render.jsonlines import JsonLines
from kindctl.render.live import Live
from kindctl.render.plain import Plain
from kindctl.render.screen import Screen, choose
from kindctl.runner.events import (
    Event,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReached,
    StepSaid,
    StepStarted,
)
from tests.support.terminal import Terminal


@pytest.fixture(autouse=True)
def _neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


REPORT = Report(
    "shop",
    (
        StepReport("image", "build the image", "ready", 12.0, 0.0, ("built shop:dev",)),
        StepReport(
            "cluster", "create | the cluster", "failed", 3.0, 0.0, note="<port> 80 is taken"
        ),
        StepReport("pods", "pods are ready", "cancelled", 1.0, 2.0),
        StepReport("page", "page answers", "skipped", 0.0, 12.0),
    ),
    12.0,
)

FAILED: list[Event] = [
    RunStarted(
        "shop",
        (
            ("image", "build the image", ()),
            ("cluster", "create | the cluster", ()),
            ("pods", "pods are ready", ("cluster:api",)),
            ("page", "page answers", ("pods",)),
        ),
    ),
    StepStarted("image", 0.0),
    StepStarted("cluster", 0.0),
    StepSaid("image", 0.1, "layer 1"),
    StepSaid("image", 0.4, "soon after"),
    StepReached("cluster", 1.0, "api"),
    StepSaid("image", 1.2, "layer 2"),
    StepStarted("pods", 2.0),
    StepEnded("cluster", 3.0, "failed", 3.0, note="<port> 80 is taken\nby nginx"),
    StepEnded("pods", 3.0, "cancelled", 1.0),
    StepEnded("page", 3.0, "skipped", 0.0),
    StepSaid("image", 6.0, "layer 3"),
    StepEnded("image", 12.0, "ready", 12.0, ("built shop:dev",), "sha256:1"),
    RunEnded(REPORT, 12.0),
]


def shown(screen: Screen, stream: io.StringIO, events: Sequence[Event] = FAILED) -> list[str]:
    with screen:
        for event in events:
            screen(event)
    return stream.getvalue().splitlines()


# --- the choice ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "terminal", "environment", "expected"),
    [
        (None, True, {}, Live),
        ("human", True, {}, Live),
        (None, True, {"GITHUB_ACTIONS": "true"}, Live),
        (None, True, {"TERM": "dumb"}, Plain),
        (None, False, {}, Plain),
        ("human", False, {}, Plain),
        ("plain", True, {}, Plain),
        ("plain", False, {"GITHUB_ACTIONS": "true"}, Plain),
        (None, False, {"GITHUB_ACTIONS": "true"}, GitHub),
        (None, False, {"GITHUB_ACTIONS": "false"}, Plain),
        ("json", True, {"GITHUB_ACTIONS": "true"}, JsonLines),
    ],
)
def test_the_screen_suits_the_stream(
    output: str | None,
    terminal: bool,
    environment: dict[str, str],
    expected: type,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert type(choose(output, Terminal() if terminal else io.StringIO())) is expected


def test_progress_goes_to_standard_error_and_json_to_standard_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    choose("plain")(FAILED[0])
    assert (out.getvalue(), err.getvalue()) == ("", "shop: 4 steps\n")
    choose("json")(FAILED[0])
    assert out.getvalue().startswith('{"event": "run-started"')


# --- plain ---------------------------------------------------------------------------------------


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


# --- GitHub Actions ------------------------------------------------------------------------------


def test_github_folds_each_step_when_it_ends() -> None:
    stream = io.StringIO()

    assert shown(GitHub(stream), stream) == [
        "shop: 4 steps",
        "  build the image …",
        "  create | the cluster …",
        "  pods are ready …",
        "✗ create | the cluster (3.0 s)",
        "::error title=create | the cluster::<port> 80 is taken by nginx",
        "◌ pods are ready (1.0 s)",
        "::group::✓ build the image (12 s)",
        "    0.1  layer 1",
        "    1.2  layer 2",
        "    6.0  layer 3",
        "built shop:dev",
        "sha256:1",
        "::endgroup::",
    ]


def test_folds_never_nest() -> None:
    stream = io.StringIO()
    depth = 0
    for line in shown(GitHub(stream), stream):
        depth += line.startswith("::group::") - line.startswith("::endgroup::")
        assert depth in (0, 1)
    assert depth == 0


def test_github_takes_no_command_from_a_program() -> None:
    stream = io.StringIO()
    events: list[Event] = [
        RunStarted("shop", (("a", "make a", ()),)),
        StepStarted("a", 0.0),
        StepEnded(
            "a", 1.0, "ready", 1.0, ("::set-output name=x::y", "  ::error::z", "b ##[error]c")
        ),
    ]
    lines = shown(GitHub(stream), stream, events)

    assert [line for line in lines if line.lstrip().startswith("::")] == [
        "::group::✓ make a (1.0 s)",
        "::endgroup::",
    ]
    assert not any("##[" in line for line in lines)


def test_annotations_are_escaped() -> None:
    assert annotation("100%\nof it", title="a: b, c", line=3) == (
        "::error title=a%3A b%2C c,line=3::100%25%0Aof it"
    )
    assert annotation("bare") == "::error::bare"


def test_the_summary_is_appended_to_the_file_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    stream = io.StringIO()
    shown(GitHub(stream), stream)

    assert path.read_text() == "before\n" + summary(REPORT)


def test_the_summary_of_a_failed_run() -> None:
    lines = summary(REPORT).splitlines()

    assert lines[0] == "### ✗ shop is not up"
    assert "| ✓ | build the image | 12 s | 1 |" in lines
    assert "| ✗ | **create \\| the cluster**<br>&lt;port> 80 is taken | 3.0 s |  |" in lines
    assert not any("page answers" in line for line in lines)
    assert "4 steps in 12 s, 1 not started" in lines
    assert "- built shop:dev" in lines


URLS = ("http://localhost/", "http://localhost/ (Host: shop.example.com)")


def test_the_summary_of_a_good_run_names_the_urls() -> None:
    report = Report("shop", (StepReport("a", "a", "ready", 1, 0),), 1.0, URLS)
    lines = summary(report).splitlines()

    assert lines[0] == "### ✓ shop is up"
    assert "- <http://localhost/>" in lines
    assert "- <http://localhost/> (Host: shop.example.com)" in lines
    assert not any("details" in line for line in lines)
