"""JSON lines: each is what the schema and the document say, and the three do not drift apart."""

from __future__ import annotations

import io
import json
import re
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kindctl.errors import ConfigError, Interrupted, KindctlError, MachineError, Problem, ToolError
from kindctl.models import Progress, Report, StepReport, Turn, TurnWait
from kindctl.render import jsonlines
from kindctl.render.errors import show_error
from kindctl.render.jsonlines import NAMES, JsonLines, as_json
from kindctl.runner.events import StepSaid
from kindctl.runner.run import run
from tests import ROOT
from tests.fakes.steps import FakeStep, fail, step

SCHEMA = Path(jsonlines.__file__).with_name("events.schema.json")
DOCUMENT = ROOT / "docs" / "events.md"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def lines_of(*steps: FakeStep) -> list[dict[str, Any]]:
    stream = io.StringIO()
    with JsonLines(stream) as screen:
        try:
            run(
                "shop",
                steps,
                emit=screen,
                stop=threading.Event(),
                urls=lambda: ["http://localhost/"],
            )
        except KindctlError as error:
            show_error(error, as_json=True, stream=stream)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def talk(progress: Progress) -> None:
    progress.say("working")
    progress.reach("api")


def test_every_line_of_a_run_is_valid(schema: dict[str, Any]) -> None:
    lines = lines_of(step("a", work=talk), step("b", "a:api", slow=1))

    assert {line["event"] for line in lines} == set(NAMES.values())
    for line in lines:
        jsonschema.validate(line, schema)
    assert lines[0]["steps"][1] == {"name": "b", "title": "make b", "needs": ["a:api"]}
    assert lines[-1]["report"]["urls"] == ["http://localhost/"]


def test_a_wait_for_another_build_is_in_the_report(schema: dict[str, Any]) -> None:
    def wait(progress: Progress) -> None:
        progress.say(Turn.WAITING)
        progress.say(Turn.TAKEN)

    lines = lines_of(step("a", work=wait))
    for line in lines:
        jsonschema.validate(line, schema)
    (waited,) = lines[-1]["report"]["steps"][0]["waits"]
    assert set(waited) == {"started", "seconds", "after"}
    assert set(schema["$defs"]["turn-wait"]["properties"]) == {it.name for it in fields(TurnWait)}


def test_a_failed_run_ends_with_its_error(schema: dict[str, Any]) -> None:
    error = ToolError("kind failed", command=["kind", "create"], output="no space", fix="make room")
    lines = lines_of(step("a", work=fail(error)), step("b", "a"))

    assert [line["event"] for line in lines[-2:]] == ["run-ended", "error"]
    assert lines[-2]["report"]["urls"] == []
    for line in lines:
        jsonschema.validate(line, schema)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError([Problem("kindctl.yaml", 3, 5, "unknown key", "did you mean ingress?")]),
        MachineError("no engine", why="the socket is not there", fix="kindctl doctor --fix"),
        Interrupted("interrupted"),
        KindctlError("unexpected error: ZeroDivisionError", code="unknown"),
    ],
)
def test_every_error_is_valid(error: KindctlError, schema: dict[str, Any]) -> None:
    stream = io.StringIO()
    show_error(error, as_json=True, stream=stream)

    jsonschema.validate(json.loads(stream.getvalue()), schema)


def test_the_schema_refuses_what_is_no_event(schema: dict[str, Any]) -> None:
    for wrong in (
        {"event": "step-begun", "name": "a", "at": 0},
        {"event": "step-started", "name": "a"},
        {"event": "error", "code": "x"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_the_schema_names_every_field(schema: dict[str, Any]) -> None:
    defs = schema["$defs"]
    for kind, name in NAMES.items():
        described = set(defs[name]["properties"]) - {"event", "version"}
        assert described == {field.name for field in fields(kind)}, name
    assert set(defs["report"]["properties"]) == {field.name for field in fields(Report)}
    assert set(defs["step-report"]["properties"]) == {field.name for field in fields(StepReport)}
    assert set(defs["problem"]["properties"]) == {field.name for field in fields(Problem)}


def test_the_document_names_every_event_and_field(schema: dict[str, Any]) -> None:
    text = DOCUMENT.read_text()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", text, flags=re.MULTILINE))
    for ref in schema["oneOf"]:
        name = ref["$ref"].rpartition("/")[2]
        for field in set(schema["$defs"][name]["properties"]) - {"event"}:
            assert f"`{field}`" in rows[name], f"{field} of {name}"


def test_the_lines_in_the_document_are_valid(schema: dict[str, Any]) -> None:
    block = re.search(r"```json\n(.+?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    assert block
    lines = [json.loads(line) for line in block[1].splitlines()]

    assert [line["event"] for line in lines] == [
        "run-started",
        "step-started",
        "step-ended",
        "run-ended",
    ]
    for line in lines:
        jsonschema.validate(line, schema)


def test_seconds_have_three_digits() -> None:
    assert as_json(StepSaid("a", 1.23456, "x"))["at"] == 1.235
