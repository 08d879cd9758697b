"""How errors look: to people, in a log, on GitHub Actions."""

from __future__ import annotations

import io
import json
import sys

import pytest

from kindctl.errors import ConfigError, Interrupted, KindctlError, NotReadyError, Problem, ToolError
from kindctl.render.errors import error_as_json, error_text, show_error
from tests.support.terminal import Terminal

BUILD = ToolError(
    "cannot build image shop-backend",
    command=["docker", "buildx", "build", "--tag", "shop backend", "."],
    status=1,
    why="exit code 1",
    fix="correct the Dockerfile\nthen run kindctl up",
    output="\x1b[31mstep 1\x1b[0m\n  indented",
    code="image-build",
)

CONFIG = ConfigError(
    [
        Problem("kindctl.yaml", 12, 3, "unknown key 'ingres'", "did you mean ingress?"),
        Problem("kindctl.yaml", 2, 7, "must be a string"),
        Problem("kindctl.local.yaml", 0, 0, "is empty"),
    ]
)


@pytest.fixture(autouse=True)
def _neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def lines(error: KindctlError, stream: io.StringIO | None = None) -> list[str]:
    return error_text(error, stream or io.StringIO()).splitlines()


def test_what_why_the_tools_words_what_to_do_and_where_to_read_on() -> None:
    assert lines(BUILD) == [
        "error: cannot build image shop-backend",
        "  exit code 1",
        "",
        "  │ $ docker buildx build --tag 'shop backend' .",
        "  │ step 1",
        "  │   indented",
        "",
        "hint: correct the Dockerfile",
        "      then run kindctl up",
        "",
        "code: image-build",
        "docs: https://github.com/kindctl/kindctl/blob/main/docs/troubleshooting/image-build.md",
    ]


def test_an_error_with_little_to_say_is_short() -> None:
    assert lines(KindctlError("it failed"))[:-1] == ["error: it failed", "", "code: failed"]


def test_long_output_is_shown_from_its_end() -> None:
    error = ToolError("failed", output="\n".join(f"line {n}" for n in range(1, 101)))
    shown = lines(error)

    assert shown[2:4] == ["  │ … 80 earlier lines", "  │ line 81"]
    assert "  │ line 100" in shown
    assert error_as_json(error)["output"].startswith("line 1\n")


def test_other_failures_are_named() -> None:
    error = NotReadyError("pods: not ready after 60 s", why="last seen: 0 of 1")
    error.add_note("also failed: build the image: no space left")

    assert lines(error)[1:3] == [
        "  last seen: 0 of 1",
        "also failed: build the image: no space left",
    ]


def test_each_problem_of_the_configuration_stands_at_its_place() -> None:
    shown = lines(CONFIG)

    assert shown[:4] == [
        "error: 3 problems in the configuration",
        "  kindctl.local.yaml: is empty",
        "  kindctl.yaml:2:7: must be a string",
        "  kindctl.yaml:12:3: unknown key 'ingres' (did you mean ingress?)",
    ]
    assert shown.count("  kindctl.yaml:2:7: must be a string") == 1


def test_an_interruption_is_no_error() -> None:
    assert lines(Interrupted("interrupted", why="still running: a", fix="kindctl up goes on")) == [
        "interrupted",
        "  still running: a",
        "",
        "hint: kindctl up goes on",
    ]


def test_notes_follow_the_reason() -> None:
    error = Interrupted("interrupted", why="still running: a")
    error.add_note("also failed: make b: no space")

    assert lines(error) == ["interrupted", "  still running: a", "also failed: make b: no space"]
    assert error_as_json(error)["notes"] == ["also failed: make b: no space"]


def test_a_terminal_gets_lines_that_fit_it() -> None:
    error = ToolError("failed", why="word " * 40, output="x" * 130, fix="do " * 40)
    plain = [_bare(line) for line in lines(error, Terminal())]

    assert max(len(line) for line in plain if not line.startswith("docs:")) <= 60
    assert "".join(line[4:] for line in plain if line.startswith("  │ ")) == "x" * 130
    hint = [line for line in plain if line.endswith("do")]
    assert len(hint) > 1
    assert hint[0].startswith("hint: do")
    assert all(line.startswith("      do") for line in hint[1:])


def _bare(line: str) -> str:
    from kindctl.render.style import clean

    return clean(line)


def test_colour_on_a_terminal_and_not_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[31;1merror: \x1b[0m" in error_text(BUILD, Terminal())
    assert "\x1b" not in error_text(BUILD, io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    bare = error_text(BUILD, Terminal())
    assert "\x1b[1merror: \x1b[0m" in bare
    assert "\x1b[2m" in bare
    assert "\x1b[3" not in bare


def test_people_read_standard_error_and_programs_standard_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    show_error(BUILD)
    assert out.getvalue() == ""
    assert "cannot build" in err.getvalue()
    show_error(BUILD, as_json=True)
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["code"] == "image-build"


def test_json_has_all_that_is_known_and_nothing_empty() -> None:
    assert error_as_json(BUILD) == {
        "event": "error",
        "code": "image-build",
        "exit_code": 1,
        "what": "cannot build image shop-backend",
        "why": "exit code 1",
        "fix": "correct the Dockerfile\nthen run kindctl up",
        "command": "docker buildx build --tag 'shop backend' .",
        "output": "\x1b[31mstep 1\x1b[0m\n  indented",
        "link": BUILD.link,
    }
    assert [p["line"] for p in error_as_json(CONFIG)["problems"]] == [0, 2, 12]


def test_github_marks_each_problem_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = io.StringIO()
    show_error(CONFIG, stream=stream)

    assert stream.getvalue().splitlines()[-3:] == [
        "::error file=kindctl.local.yaml::is empty",
        "::error file=kindctl.yaml,line=2,col=7::must be a string",
        "::error file=kindctl.yaml,line=12,col=3::unknown key 'ingres'",
    ]
