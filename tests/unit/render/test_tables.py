"""Rows in, text out."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from kindctl.models import Verdict
from kindctl.render.style import clean
from kindctl.render.tables import show
from tests.support.terminal import Terminal


@dataclass(frozen=True)
class Row:
    name: str
    ready: bool
    urls: tuple[str, ...] = ()
    file: Path | None = None
    host_port: int = 80


ROWS = [
    Row("shop", True, ("http://localhost/", "http://localhost/api"), host_port=8080),
    Row("blog", False),
]

VERDICTS = [
    Verdict("engine", "ok", "Docker 26.1.5"),
    Verdict("inotify", "failed", "max_user_instances is 128, 512 wanted", "raise it", fixable=True),
    Verdict("memory", "warning", "3 GB free", "close something"),
    Verdict("ports", "failed", "?", blocked_by="engine"),
]


@pytest.fixture(autouse=True)
def _neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def lines(rows: list[Row] | list[Verdict] | list[dict[str, str]], stream: io.StringIO) -> list[str]:
    show(rows, stream=stream)
    return [clean(line).rstrip() for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_one_line_a_row() -> None:
    stream = io.StringIO()

    assert lines(ROWS, stream) == [
        "NAME  READY  URLS                                     HOST PORT",
        "shop  yes    http://localhost/, http://localhost/api  8080",
        "blog  no     -                                        80",
    ]
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_one_thing_a_line_and_colours() -> None:
    stream = Terminal()

    assert lines(ROWS, stream) == [
        "NAME  READY  URLS                  HOST PORT",
        "shop  yes    http://localhost/     8080",
        "             http://localhost/api",
        "blog  no     -                     80",
    ]
    assert "\x1b[32myes" in stream.getvalue()
    assert "\x1b[31mno" in stream.getvalue()


def test_a_terminal_gets_long_text_wrapped_between_words() -> None:
    rows = [{"name": "backend", "seen": "could not connect to the server " * 5}]
    shown = lines(rows, Terminal())

    assert max(map(len, shown)) <= 80
    assert shown[2].startswith("         ")
    assert " ".join(" ".join(line[9:] for line in shown[1:]).split()) == rows[0]["seen"].strip()


def test_a_narrow_terminal_gets_a_block_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")

    assert lines(ROWS, Terminal()) == [
        "shop",
        "  ready      yes",
        "  urls       http://localhost/",
        "             http://localhost/api",
        "  host port  8080",
        "blog",
        "  ready      no",
        "  host port  80",
    ]


def test_json_is_a_list_of_all_fields() -> None:
    stream = io.StringIO()
    show([Row("shop", True, ("u",), Path("/f"))], "json", stream=stream)

    assert json.loads(stream.getvalue()) == [
        {"name": "shop", "ready": True, "urls": ["u"], "file": "/f", "host_port": 80}
    ]


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    show([], empty="no environments", stream=stream)
    assert stream.getvalue() == ""
    assert capsys.readouterr().err == "no environments\n"

    show([], "json", empty="no environments", stream=stream)
    assert json.loads(stream.getvalue()) == []


def test_what_is_no_row_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a dataclass or a mapping"):
        show(["text"], stream=io.StringIO())


def test_a_digest_is_whole_in_a_pipe_and_begun_on_a_terminal() -> None:
    rows = [{"name": "node", "reference": "node@sha256:" + "0123456789abcdef" * 4}]

    assert lines(rows, io.StringIO())[1].endswith(rows[0]["reference"])
    assert lines(rows, Terminal())[1] == "node  node@sha256:0123456789ab…"


def test_sizes_are_bytes_in_json_and_read_well_in_a_table() -> None:
    rows = [{"name": "node", "size": 1_459_234_567}, {"name": "absent", "size": 0}]
    stream = io.StringIO()
    show(rows, stream=stream)
    cells = [line.split(maxsplit=1)[1] for line in stream.getvalue().splitlines()]
    assert cells == ["SIZE", "1459 MB", "-"]

    stream = io.StringIO()
    show(rows, "json", stream=stream)
    assert json.loads(stream.getvalue())[0]["size"] == 1_459_234_567


def test_verdicts_say_what_to_do_where_something_is_wrong() -> None:
    assert lines(VERDICTS, io.StringIO()) == [
        " ✓ engine   Docker 26.1.5",
        " ✗ inotify  max_user_instances is 128, 512 wanted",
        "            fix: raise it (or run `kindctl doctor --fix`)",
        " ! memory   3 GB free",
        "            fix: close something",
        " · ports    skipped: needs engine",
        "",
        "1 failed, 1 warning, 1 skipped, 1 ok",
    ]


def test_a_fix_that_names_the_command_is_not_followed_by_it() -> None:
    verdict = Verdict("engine", "failed", "down", "`kindctl doctor --fix` starts it", fixable=True)
    assert "\n".join(lines([verdict], io.StringIO())).count("doctor --fix") == 1


def test_verdicts_fit_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    shown = lines([Verdict("disk", "failed", "word " * 30, "fix " * 30)], Terminal())

    assert max(map(len, shown)) <= 50
    assert all(line.startswith("         ") for line in shown[1:-2])


def test_verdicts_as_json_have_their_fields() -> None:
    stream = io.StringIO()
    show(VERDICTS, "json", stream=stream)

    assert [row["code"] for row in json.loads(stream.getvalue())] == [v.code for v in VERDICTS]
