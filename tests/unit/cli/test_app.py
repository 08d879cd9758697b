"""Tests of cli/app.py."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kindctl.cli.app import PANELS, app
from tests.support.command_line import COMMANDS_PAGE, ROOT

LIGHT = {*sys.stdlib_module_names, "kindctl", "typer"}
"""What every command may load. All that others have made is heavy: `--help` must not pay for it."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""

    def below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path.strip(), command
        for name, child in (children or {}).items():
            yield from below(child, f"{path} {name}")

    return below(typer.main.get_command(app), "")


COMMANDS = dict(commands())


def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "120", "TERM": "dumb"})
    assert result.exit_code == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_help_shows_every_command_in_its_group() -> None:
    text = help_of()
    found: dict[str, list[str]] = {}
    group = ""
    for line in text.splitlines():
        if heading := re.match(r"╭─ (.+?) ─", line):
            group = heading[1]
        elif command := re.match(r"│ ([a-z]+) ", line):
            found.setdefault(group, []).append(command[1])
    assert {name: sorted(of) for name, of in found.items()} == {
        panel: sorted(names) for panel, names in PANELS.items()
    }


def test_every_module_of_a_command_is_in_the_tree() -> None:
    folder = ROOT / "kindctl" / "cli"
    defining = {
        path.stem
        for path in folder.glob("*.py")
        if re.search(r"^(def command\(|app = typer)", path.read_text(), re.MULTILINE)
    }
    listed = {name for names in PANELS.values() for name in names}
    assert listed == defining - {"app"}


def test_without_arguments_there_is_help() -> None:
    result = CliRunner().invoke(app, [])
    assert "kindctl up --yes" in result.output


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(words: str) -> None:
    command = COMMANDS[words]
    assert command.help
    assert [p.name for p in command.params if not p.help] == []
    assert command.help.splitlines()[0] in COMMANDS_PAGE


def test_help_of_up_has_examples() -> None:
    text = help_of("up")
    assert "Examples" in text
    assert "kindctl up --yes" in text
    assert "[bold]" not in text


def test_examples_are_calls_that_exist() -> None:
    blocks = re.findall(r"```console\n(.*?)```", COMMANDS_PAGE, re.DOTALL)
    examples = re.findall(r"\bkindctl ([a-z][^#)&|\n]*)", "".join(blocks))
    assert len(examples) >= 12
    for call in examples:
        words = call.split()
        if words[0] == "forward" and words[1] not in ("list", "stop"):
            words.insert(1, "start")  # it may be left out
        names = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
        assert names, call
        known = {opt for parameter in COMMANDS[names[0]].params for opt in parameter.opts}
        options = {word for word in words if word.startswith("-")}
        assert options <= known, call


def imports(path: Path) -> Iterator[str]:
    """Modules that a module imports when it is imported: not those in functions or for types alone."""

    def walk(nodes: list[ast.stmt]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.If):
                if "TYPE_CHECKING" not in ast.unparse(node.test):
                    yield from walk(node.body)
                yield from walk(node.orelse)
            elif isinstance(node, ast.ClassDef | ast.With | ast.Try):
                yield from walk(node.body)

    return walk(ast.parse(path.read_text()).body)


def file_of(module: str) -> Path | None:
    place = ROOT / module.replace(".", "/")
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def reached(module: str) -> set[str]:
    """All modules that importing this one imports, ours and the first level of others'."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if path := file_of(name):
            waiting += [found for found in imports(path) if found.partition(".")[0] == "kindctl"]
            waiting += [name.rpartition(".")[0]] if "." in name else []
            seen.update(f for f in imports(path) if f.partition(".")[0] != "kindctl")
    return seen


def heavy(start: str) -> set[str]:
    """Packages that importing a module of ours imports, of those that are not light."""
    return {name.partition(".")[0] for name in reached(start)} - LIGHT


COMMAND_MODULES = [f"kindctl.cli.{name}" for names in PANELS.values() for name in names]
"""cli.app imports these by their names, so following its imports does not lead to them."""


@pytest.mark.parametrize(
    "start", ["kindctl.__main__", "kindctl.cli.exits", "kindctl.cli.app", *COMMAND_MODULES]
)
def test_the_command_tree_loads_nothing_heavy(start: str) -> None:
    assert heavy(start) == set()
    assert "kindctl.schema" not in reached(start)


def test_errors_load_nothing_heavy_either() -> None:
    """What every command that fails pays for."""
    assert heavy("kindctl.errors") == set()


def test_the_look_at_imports_sees_what_is_heavy() -> None:
    assert "pydantic" in heavy("kindctl.schema")
    assert "kindctl.schema" in reached("kindctl.planning.plan")
    assert "yaml" in heavy("kindctl.actions.down")
    assert "kindctl.cli.common" in reached("kindctl.cli.logs")
