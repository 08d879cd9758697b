"""Folds, annotations and the summary of GitHub Actions."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kindctl.models import Report, StepReport
from kindctl.render.github import GitHub, annotation, summary
from kindctl.runner.events import (
    Event,
    RunStarted,
    StepEnded,
    StepStarted,
)
from tests.support.screens import REPORT, shown


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
