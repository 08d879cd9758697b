"""The command `kindctl status`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Name, NameArgument, Table, TableOption, find_environment, show


def command(
    environment: NameArgument = None,
    name: Name = None,
    file: File = None,
    wait: Annotated[
        float | None,
        typer.Option(help="Wait until everything is ready, at most this many seconds.", min=0),
    ] = None,
    output: TableOption = Table.human,
) -> None:
    """Show the nodes, workloads and URLs of an environment. Exit code 4: something is not ready.

    [bold]Examples[/bold]

      kindctl status shop --wait 60    for scripts: returns once all is ready
      kindctl status -o json           for programs
    """
    from kindctl.actions.status import status

    rows = status(*find_environment(environment or name, file), wait=wait)
    show(rows, output)
    if any(not row.ready for row in rows):
        raise typer.Exit(4)
