"""Which screen suits a stream."""

from __future__ import annotations

import io
import sys

import pytest

from kindctl.render.github import GitHub
from kindctl.render.jsonlines import JsonLines
from kindctl.render.live import Live
from kindctl.render.plain import Plain
from kindctl.render.screens import choose_screen
from tests.support.screens import FAILED
from tests.support.terminal import Terminal


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

    assert type(choose_screen(output, Terminal() if terminal else io.StringIO())) is expected


def test_progress_goes_to_standard_error_and_json_to_standard_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    choose_screen("plain")(FAILED[0])
    assert (out.getvalue(), err.getvalue()) == ("", "shop: 4 steps\n")
    choose_screen("json")(FAILED[0])
    assert out.getvalue().startswith('{"event": "run-started"')
