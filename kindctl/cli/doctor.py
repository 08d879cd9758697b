"""kindctl doctor"""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Table, TableOption, Yes, ask, get_tools, note


def command(
    fix: Annotated[bool, typer.Option("--fix", help="Install and set what is missing.")] = False,
    yes: Yes = False,
    file: File = None,
    output: TableOption = Table.human,
) -> None:
    """Check the machine: engine, kind, disk, memory, ports, limits. Exit code 3: something fails.

    [bold]Examples[/bold]

      kindctl doctor --fix --yes    make a fresh machine fit
    """
    from kindctl.actions.doctor import doctor
    from kindctl.config.load import load
    from kindctl.render.tables import show

    verdicts = doctor(
        load(file), get_tools(), fix=fix, agree=lambda wishes: ask(wishes, yes=yes), say=note
    )
    show(verdicts, output)
    if any(verdict.level == "failed" for verdict in verdicts):
        raise typer.Exit(3)
