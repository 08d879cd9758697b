"""kindctl status"""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Name, NameArgument, Table, TableOption, get_tools


def command(
    environment: NameArgument = None,
    name: Name = None,
    file: File = None,
    wait: Annotated[
        float | None,
        typer.Option(help="Wait up to this many seconds until all is ready.", min=0),
    ] = None,
    output: TableOption = Table.human,
) -> None:
    """Show nodes, workloads and URLs of an environment. Exit code 4: something is not ready.

    [bold]Examples[/bold]

      kindctl status shop --wait 60    for scripts: returns as soon as all is ready
      kindctl status -o json           for programs
    """
    from kindctl.actions.environments import choose_name
    from kindctl.actions.status import status
    from kindctl.render.tables import show

    tools = get_tools()
    rows = status(choose_name(tools, environment or name, file), tools, wait=wait)
    show(rows, output)
    if any(not row.ready for row in rows):
        raise typer.Exit(4)
