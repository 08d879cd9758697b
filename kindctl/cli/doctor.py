"""The command `kindctl doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Table, TableOption, Yes, ask, get_tools, note, show


def command(
    fix: Annotated[
        bool, typer.Option("--fix", help="Install and configure what is missing.")
    ] = False,
    yes: Yes = False,
    file: File = None,
    output: TableOption = Table.human,
) -> None:
    """Check the machine: engine, kind, disk, memory, ports, limits. Exit code 3: a check failed.

    [bold]Examples[/bold]

      kindctl doctor --fix --yes    prepare a fresh machine
    """
    from kindctl.actions.doctor import doctor
    from kindctl.config.load import load

    verdicts = doctor(
        load(file), get_tools(), fix=fix, agree=lambda actions: ask(actions, yes=yes), say=note
    )
    show(verdicts, output)
    if any(verdict.level == "failed" for verdict in verdicts):
        raise typer.Exit(3)
