"""Tests of cli/reference.py."""

from __future__ import annotations

from kindctl.cli.reference import as_markdown
from tests.support.command_line import COMMANDS_PAGE


def test_the_page_of_commands_is_the_command_tree() -> None:
    assert as_markdown() == COMMANDS_PAGE, "python -m kindctl.cli.reference > docs/cli.md"
