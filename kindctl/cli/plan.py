"""The command `kindctl plan`."""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, Table, TableOption, get_tools, show


def command(file: File = None, name: Name = None, output: TableOption = Table.human) -> None:
    """Show what `up` would do, without changing anything. Exit code 5: there are changes."""
    from kindctl.actions.plan import survey_plan
    from kindctl.config.load import load

    rows = survey_plan(load(file, name=name), get_tools())
    show(rows, output)
    if any(row.state != "ready" for row in rows):
        raise typer.Exit(5)
