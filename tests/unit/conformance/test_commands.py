"""What every command of kindctl must bring. Each rule is seen to fail on one that brings nothing."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from kindctl.cli.app import app
from kindctl.cli.common import Table, TableOption
from kindctl.cli.reference import as_markdown
from tests import ROOT
from tests.support.plug_ins import assert_nothing_is_missing, by_name

PAGE = (ROOT / "docs" / "cli.md").read_text()


@cache
def tree() -> Any:
    return typer.main.get_command(app)


@cache
def generated_page() -> str:
    return as_markdown()


@cache
def commands() -> dict[str, Any]:
    """Every command that does something: its words -> the command."""

    def below(command: Any, words: str) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield words.strip(), command
        for name, child in (children or {}).items():
            yield from below(child, f"{words} {name}")

    return dict(below(tree(), ""))


def has_a_one_line_summary(words: str) -> Iterator[str]:
    first = (commands()[words].help or "").strip().partition("\n")[0]
    if not first.endswith(".") or len(first) > 110:
        yield f"{words}: begin the docstring of its function in kindctl/cli/ with one sentence, one line"


def stands_in_a_group_of_the_help(words: str) -> Iterator[str]:
    name = words.split(maxsplit=1)[0]
    if f"## {tree().commands[name].rich_help_panel}\n" not in generated_page():
        yield f"{words}: give {name} one of the rich_help_panels of kindctl/cli/app.py"


def is_on_the_page_of_commands(words: str) -> Iterator[str]:
    if not _section(words):
        yield f"{words}: run python -m kindctl.cli.reference > docs/cli.md"


def is_in_the_readme(words: str) -> Iterator[str]:
    name = words.split(maxsplit=1)[0]
    table = re.findall(r"^\| (.*`kindctl .*?) \| .+ \|$", (ROOT / "README.md").read_text(), re.M)
    there = {
        call.removeprefix("kindctl ").split()[0] for call in re.findall(r"`(.+?)`", str(table))
    }
    if name not in there:
        yield f"{words}: add a row for {name} to the table of commands in README.md"


def calls_the_actions(words: str) -> Iterator[str]:
    """It parses, calls one function and shows the result: what it does stands in kindctl/actions."""
    file = Path(inspect.unwrap(commands()[words].callback).__code__.co_filename)
    imported = {
        node.module or ""
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    in_place = file.parent == ROOT / "kindctl" / "cli"
    if not in_place or not any(module.startswith("kindctl.actions") for module in imported):
        yield f"{words}: put what it does into kindctl/actions/, and a file that calls it into kindctl/cli/"


def documents_its_json(words: str) -> Iterator[str]:
    options = {option for parameter in commands()[words].params for option in parameter.opts}
    row = re.search(r"^\| `--output`, `-o` \|.*$", _section(words), re.MULTILINE)
    if "--output" in options and not (row and "`json`" in row[0]):
        yield f"{words}: docs/cli.md has to say that its output can be `json`"


def _section(words: str) -> str:
    """Of a command on the page: from its heading to the next one."""
    found = re.search(rf"^### kindctl {words}( \[.*)?\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    return found[0] if found else ""


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    has_a_one_line_summary,
    stands_in_a_group_of_the_help,
    is_on_the_page_of_commands,
    is_in_the_readme,
    calls_the_actions,
    documents_its_json,
)


@pytest.mark.parametrize("rule", BRINGS)
def test_a_command(rule: str) -> None:
    assert_nothing_is_missing(line for words in commands() for line in BRINGS[rule](words))


# --- the rules themselves ------------------------------------------------------------------------


def copycat(output: TableOption = Table.human) -> None:
    """a command of a test"""


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A command that is registered, and no more."""
    cached = (tree, generated_page, commands)
    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command("copycat")(copycat)
    for function in cached:
        function.cache_clear()
    yield "copycat"
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize("rule", BRINGS)
def test_a_command_that_brings_nothing_is_told_what(rule: str, stranger: str) -> None:
    complaints = list(BRINGS[rule](stranger))
    assert complaints
    assert all(line.startswith("copycat: ") for line in complaints)
