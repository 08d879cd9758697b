"""The files that GitHub runs, by GitHub's own schemas (as check-jsonschema ships them)."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from kindctl.cli.app import app
from tests import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTION = GITHUB / "actions" / "up" / "action.yml"
PATHS = [*WORKFLOWS, ACTION]


def read(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text())
    assert isinstance(data, dict)
    if True in data:  # `on` is a truth value to YAML 1.1
        data["on"] = data.pop(True)
    return data


def problems(data: Any, kind: str) -> list[str]:
    # Found, not imported: the package opens a socket when it loads.
    place = f"check_jsonschema/builtin_schemas/vendor/{kind}.json"
    schema = json.loads(Path(str(distribution("check-jsonschema").locate_file(place))).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]


def steps(data: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The steps of each job, or of the action."""
    if "runs" in data:
        yield data["runs"]["steps"]
    for job in data.get("jobs", {}).values():
        yield job["steps"]


def scripts(data: dict[str, Any]) -> list[str]:
    return [step["run"] for group in steps(data) for step in group if "run" in step]


def name(path: Path) -> str:
    return str(path.relative_to(GITHUB))


def test_there_are_workflows() -> None:
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_workflow_is_what_github_reads(path: Path) -> None:
    assert problems(read(path), "github-workflows") == []


def test_the_action_is_what_github_reads() -> None:
    assert problems(read(ACTION), "github-actions") == []


def test_the_schemas_find_mistakes() -> None:
    workflow = copy.deepcopy(read(WORKFLOWS[0]))
    next(iter(workflow["jobs"].values()))["run-on"] = "ubuntu"
    assert problems(workflow, "github-workflows") != []
    action = read(ACTION)
    del action["runs"]["steps"][0]["shell"]
    assert problems(action, "github-actions") != []


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_jobs_end_and_may_only_read(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job, body in workflow["jobs"].items() if "timeout-minutes" not in body] == []


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_outputs_are_of_steps_that_are_there_and_inputs_are_declared(path: Path) -> None:
    data, text = read(path), path.read_text()
    known = {step["id"] for group in steps(data) for step in group if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.outputs", text)) <= known
    assert set(re.findall(r"\binputs\.(\w+)", text)) <= set(data.get("inputs", {}))


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_actions_of_this_repository_give_the_outputs_that_are_used(path: Path) -> None:
    for group in steps(read(path)):
        for step in group:
            if step.get("uses", "").startswith("./"):
                used = re.findall(rf"steps\.{step['id']}\.outputs\.(\w+)", path.read_text())
                action = read(GITHUB.parent / step["uses"] / "action.yml")
                assert used
                assert set(used) <= set(action["outputs"])
                assert set(step.get("with", {})) <= set(action["inputs"])


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_scripts_take_no_expression_as_shell_text(path: Path) -> None:
    """An input would be run as code: it goes through the environment."""
    assert [script for script in scripts(read(path)) if "${{" in script] == []


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_the_commands_and_options_of_kindctl_exist(path: Path) -> None:
    tree: Any = typer.main.get_command(app)
    calls = [
        call.split()
        for script in scripts(read(path))
        for call in re.findall(r"(?<![\w/.-])kindctl ([a-z][^|)\n]*)", script)
    ]
    assert calls
    for words in calls:
        command = tree
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), words
        known = {opt for parameter in command.params for opt in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known
