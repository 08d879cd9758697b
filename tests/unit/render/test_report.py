"""The last words of `up`."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from kindctl.models import Report, StepReport, TurnWait
from kindctl.render.report import critical_path, render_up, report_lines
from tests.support.terminal import Terminal


def took(name: str, started: float, seconds: float, after: str = "", *changes: str) -> StepReport:
    return StepReport(name, f"make {name}", "ready", seconds, started, changes, after=after)


FIRST = Report(
    "shop",
    (
        took("preflight", 0, 0.1),
        took("image:db:17", 0.1, 6, "preflight", "pulled postgres:17"),
        took("cluster", 0.1, 10, "preflight", "created cluster shop"),
        took("in-node", 6.1, 2, "image:db:17", "imported postgres:17"),
        took("apply", 8, 1, "cluster:api", *(f"created Deployment shop/d{n}" for n in range(10))),
        took("pods", 10.1, 8, "cluster"),
        took("page", 18.1, 1.9, "pods"),
    ),
    20.0,
    ("http://localhost/", "http://localhost/api/healthy"),
    "/home/ada lovelace/kubeconfig",
)


def lines(report: Report) -> list[str]:
    return report_lines(report, io.StringIO())


def section(name: str, report: Report = FIRST) -> list[str]:
    shown = lines(report)
    start = next(n for n, line in enumerate(shown) if line.startswith(name))
    return [*shown[start:], ""][1 : [*shown[start:], ""].index("")]


def test_the_critical_path_is_what_the_whole_waited_for() -> None:
    assert critical_path(FIRST.steps) == ["preflight", "cluster", "pods", "page"]


def test_the_critical_path_goes_through_milestones() -> None:
    steps = [took("cluster", 0, 10), took("image", 0, 2), took("apply", 6, 7, "cluster:api")]

    assert critical_path(steps) == ["cluster", "apply"]
    assert critical_path([]) == []


def test_the_critical_path_ends_though_steps_name_each_other() -> None:
    assert critical_path([took("a", 0, 1, "b"), took("b", 1, 1, "a")]) == ["a", "b"]


def waited(step: StepReport, *waits: tuple[float, float, str]) -> StepReport:
    return replace(step, waits=tuple(TurnWait(*wait) for wait in waits))


QUEUED = Report(
    "shop",
    (
        took("preflight", 0, 1),
        took("node", 1, 9, "preflight", "built node"),
        waited(took("front", 1, 11, "preflight", "built front"), (1, 9, "node")),
        took("cluster", 10, 1, "node"),
        took("pods", 12, 8, "front"),
    ),
    20.0,
)


def test_the_critical_path_goes_through_the_build_that_was_waited_for() -> None:
    assert critical_path(QUEUED.steps) == ["preflight", "node", "front", "pods"]


def test_the_critical_path_goes_on_from_a_step_that_had_worked_before_it_waited() -> None:
    # front builds its first base, waits while node is built (which had waited for that first base),
    # then builds its second one; its next wait had begun when node got its turn
    steps = [
        took("preflight", 0, 1),
        waited(took("front", 1, 20, "preflight"), (4, 2, "node")),
        waited(took("node", 1, 30, "unrelated"), (1, 3, "front"), (5.9, 10, "front")),
    ]

    assert critical_path(steps) == ["preflight", "front", "node"]


def test_the_critical_path_ignores_a_wait_for_an_unknown_step() -> None:
    assert critical_path([waited(took("a", 0, 5), (0, 4, ""))]) == ["a"]


def test_waiting_for_another_build_is_not_drawn_as_work() -> None:
    bars = section("Time", QUEUED)
    front = next(n for n, line in enumerate(bars) if "make front" in line)

    assert bars[front + 1] == "    of which 9.0 s waiting for another build"
    assert bars[front].count("·") == pytest.approx(bars[front].count("█") * 4.5, abs=4)
    assert bars[front].rindex("·") < bars[front].index("█")
    assert not any("·" in line or "of which" in line for line in bars[:front] + bars[front + 2 :])
    node = next(line for line in bars if "make node" in line)
    assert "█" in node
    assert node.rindex("█") == bars[front].rindex("·")  # the work starts where the other's ended
    assert next(line for line in lines(QUEUED) if line.startswith("Time")).endswith("· waiting")
    assert not any("waiting" in line for line in lines(FIRST))


def test_a_step_that_only_waited_stands_behind_those_that_worked() -> None:
    worked = [took(f"w{n}", n, 3, "", "x") for n in range(10)]
    idle = waited(took("idle", 0, 6), (0, 5.9, "w1"))
    bars = section("Time", Report("shop", (*worked, idle), 13))

    assert not any("idle" in line for line in bars)


def test_the_urls_are_those_that_answered() -> None:
    assert section("shop is up") == [
        "  http://localhost/             answered",
        "  http://localhost/api/healthy  answered",
    ]


def test_the_time_of_each_longer_phase_on_one_scale() -> None:
    bars = section("Time")
    rows = [line[2:].split("  ") for line in bars]

    assert [row[0].rstrip() for row in rows] == [
        f"make {name}" for name in ("image:db:17", "cluster", "in-node", "apply", "pods", "page")
    ]  # preflight took less than is worth a line
    assert "█" in bars[1]
    assert "░" in bars[0]
    assert "█" not in bars[0] + bars[2] + bars[3]
    assert len({len(line) - len(line.lstrip("█░ ")) for line in bars}) == 1
    assert bars[5].rindex("█") == max(len(line) for line in bars) - 1
    widths = [line.count("█") + line.count("░") for line in bars]
    assert widths[1] == pytest.approx(widths[2] * 5, abs=3)
    assert bars[4].index("█") >= bars[1].rindex("█")  # pods start when the cluster has ended


def test_many_changes_are_counted_and_few_are_named() -> None:
    assert section("Changed") == ["  pulled 1, created 11, imported 1"]
    repair = Report("shop", (took("apply", 0, 1, "", "created Deployment a", "set Service b"),), 1)
    assert section("Changed", repair) == ["  created Deployment a", "  set Service b"]


def test_kubectl_is_told_where_to_look_in_a_line_for_the_shell() -> None:
    assert section("kubectl")[0] == "  export KUBECONFIG='/home/ada lovelace/kubeconfig'"


def test_the_next_commands_name_the_environment() -> None:
    commands = [line.split("  ")[1] for line in section("Next")]

    assert commands == [
        "kindctl open shop",
        "kindctl status shop",
        "kindctl logs --name shop --follow",
        "kindctl down shop",
    ]


def test_a_run_without_changes_is_short() -> None:
    again = Report("shop", (took("a", 0, 1),), 1.2, ("http://localhost/",))
    shown = lines(again)

    assert "shop is up: nothing to change, 1.2 s" in shown
    assert not any(line.startswith(("Changed", "Time", "kubectl")) for line in shown)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_lines_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from kindctl.render.style import clean

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = report_lines(FIRST, Terminal())
    bars = [clean(line) for line in shown if "█" in line or "░" in line]

    assert len(bars) == 7
    bars += [
        clean(line)
        for line in report_lines(QUEUED, Terminal())
        if "█" in line or "of which" in line
    ]
    assert any("of which" in line for line in bars)
    assert max(map(len, bars)) < columns


def test_the_report_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    render_up(FIRST)
    out, err = capsys.readouterr()

    assert "http://localhost/" in out
    assert err == ""
    assert "\x1b" not in out
