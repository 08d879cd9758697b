"""The live view: what stands on which line, how it fits, and what it leaves behind."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from kindctl.models import Report
from kindctl.render.board import Board
from kindctl.render.live import Live, closing, picture, select
from kindctl.render.style import ASCII, UNICODE, Signs
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


def board_of(*events: Event) -> Board:
    board = Board()
    for event in events:
        board.take(event)
    return board


START = RunStarted(
    "shop",
    (
        ("preflight", "check the machine", ()),
        ("image:db:17", "image postgres:17", ("preflight",)),
        ("cluster", "create the cluster", ("preflight",)),
        ("in-node", "bring postgres:17 into the node", ("image:db:17", "cluster:containerd")),
        ("page", "http://localhost/ answers", ("in-node", "cluster")),
    ),
)
MIDST: list[Event] = [
    START,
    StepStarted("preflight", 0.0),
    StepEnded("preflight", 0.5, "ready", 0.5),
    StepStarted("image:db:17", 0.5),
    StepStarted("cluster", 0.5),
    StepSaid("cluster", 1.0, "starting the control plane"),
    StepEnded("image:db:17", 2.0, "ready", 1.5, ("pulled postgres:17",)),
]


def text_of(board: Board, now: float, signs: Signs = UNICODE) -> list[str]:
    return [line.plain.rstrip() for line in picture(board, now, 80, 24, signs)]


def test_each_line_says_what_a_step_does_or_waits_for() -> None:
    assert text_of(board_of(*MIDST), 4.0) == [
        " ✓ check the machine                                                      0.5 s",
        " ✓ image postgres:17                pulled postgres:17                    1.5 s",
        " ⠹ create the cluster               starting the control plane            3.5 s",
        " · bring postgres:17 into the node  after: create the cluster",
        " · http://localhost/ answers        after: bring postgres:17 into the…",
        " 2 of 5 done, 1 running, 4.0 s",
    ]


def test_a_milestone_that_was_reached_is_waited_for_no_more() -> None:
    board = board_of(*MIDST, StepReached("cluster", 3.0, "containerd"))

    assert board.unmet(board.rows["in-node"]) == []
    assert [row.name for row in board.unmet(board.rows["page"])] == ["in-node", "cluster"]


def test_a_failure_shows_its_words_and_what_is_not_started_goes() -> None:
    board = board_of(
        *MIDST,
        StepEnded("cluster", 5.0, "failed", 4.5, note="port 80 is taken"),
        StepEnded("in-node", 5.0, "skipped", 0.0),
        StepEnded("page", 5.0, "skipped", 0.0),
    )
    lines = text_of(board, 5.0)

    assert "port 80 is taken" in lines[2]
    assert len(lines) == 4
    assert (
        lines[-1] == " 3 of 5 done, 0 running, 5.0 s, failed: waiting for running steps to finish"
    )


def test_signs_of_ascii_where_the_stream_knows_no_others() -> None:
    lines = text_of(board_of(*MIDST), 4.0, signs=ASCII)

    assert all(line.isascii() for line in lines)


def random_board(seed: int) -> Board:
    dice = random.Random(seed)
    names = [f"s{n}" for n in range(dice.randint(1, 60))]
    events: list[Event] = [
        RunStarted(
            "shop", tuple((name, f"step {name} " + "x" * dice.randint(0, 60), ()) for name in names)
        )
    ]
    for at, name in enumerate(names):
        state = dice.choice(["pending", "running", "ready", "ready", "failed", "cancelled"])
        if state != "pending":
            events.append(StepStarted(name, float(at)))
            events.append(StepSaid(name, float(at), "語" * dice.randint(0, 90)))
        if state not in ("pending", "running"):
            events.append(StepEnded(name, float(at), state, 1.0, ("made it",)))
    return board_of(*events)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 8), (20, 4)])
def test_the_picture_fits_every_terminal(seed: int, width: int, height: int) -> None:
    lines = picture(random_board(seed), 1000.0, width, height, UNICODE)

    assert len(lines) < height
    assert max(line.cell_len for line in lines) < width


@pytest.mark.parametrize("seed", range(15))
def test_no_step_is_lost_when_lines_are_left_out(seed: int) -> None:
    rows = list(random_board(seed).rows.values())
    above, shown, below = select(rows, 20)

    assert above + len(shown) + below == len(rows)
    assert shown == [row for row in rows if row in shown]  # in their order
    active = [row for row in rows if row.state in ("running", "failed")]
    assert all(row in shown for row in active) or (
        len(shown) == 18 and all(row in active for row in shown)
    )


def test_what_runs_is_shown_before_what_is_next_and_what_is_done() -> None:
    events: list[Event] = [RunStarted("shop", tuple((f"s{n}", f"s{n}", ()) for n in range(30)))]
    for n in range(14):
        events.append(StepStarted(f"s{n}", float(n)))
        if n not in (3, 13):
            events.append(StepEnded(f"s{n}", n + 0.5, "ready", 0.5))
    above, shown, below = select(list(board_of(*events).rows.values()), 8)

    assert [row.name for row in shown] == ["s3", "s11", "s12", "s13", "s14", "s15"]
    assert (above, below) == (10, 14)


def lines_left(events: Sequence[Event], width: int = 80) -> list[str]:
    return [line.plain.rstrip() for line in closing(board_of(*events), width, UNICODE)]


def test_what_stays_names_every_change_and_counts_the_rest() -> None:
    events: list[Event] = [*MIDST, StepEnded("cluster", 9.0, "failed", 8.5, note="no space left")]
    events += [StepEnded(name, 9.0, "skipped", 0.0) for name in ("in-node", "page")]

    assert lines_left(events) == [
        " ✓ check the machine                                                      0.5 s",
        " ✓ image postgres:17                pulled postgres:17                    1.5 s",
        " ✗ create the cluster               no space left                         8.5 s",
        " · 2 steps not started",
    ]


def test_what_stays_of_a_run_that_changed_nothing_is_one_line() -> None:
    events: list[Event] = [START]
    for name, _, _ in START.steps:
        events += [StepStarted(name, 0.0), StepEnded(name, 0.1, "ready", 0.1)]

    assert lines_left(events) == [" ✓ 5 steps with nothing to change"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


ENDED = RunEnded(Report("shop", (), 5.0), 5.0)
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def test_the_terminal_is_left_alone_until_the_run_starts_and_after_it_ended(
    terminal: Terminal,
) -> None:
    with Live(terminal) as screen:
        assert terminal.getvalue() == ""
        for event in [*MIDST, ENDED]:
            screen(event)
        written = terminal.getvalue()
        assert written.count(HIDE) == written.count(SHOW) == 1
        assert "pulled postgres:17" in written.split(SHOW)[1]  # the list that stays
    assert terminal.getvalue() == written


def test_the_cursor_comes_back_whatever_happens(terminal: Terminal) -> None:
    def interrupted() -> None:
        with Live(terminal) as screen:
            screen(START)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.getvalue().count(HIDE) == terminal.getvalue().count(SHOW) == 1


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_means_no_colour(
    no_color: bool, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    with Live(terminal) as screen:
        for event in [*MIDST, ENDED]:
            screen(event)

    assert ("\x1b[32m" in terminal.getvalue()) is not no_color
