"""The command `kindctl logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import Name, find_environment


def command(
    workload: Annotated[
        str | None, typer.Argument(help="NAME, NAMESPACE/NAME, KIND/NAME or a pod; default: all.")
    ] = None,
    name: Name = None,
    tail: Annotated[int, typer.Option(help="Number of lines for each container.", min=0)] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-F", help="Keep printing new lines.")
    ] = False,
    previous: Annotated[
        bool, typer.Option("--previous", help="Logs of the containers before their last restart.")
    ] = False,
) -> None:
    """Print the logs of a workload's pods.

    [bold]Examples[/bold]

      kindctl logs                 the last lines of everything
      kindctl logs backend -F      follow one workload
    """
    from kindctl.actions.environments import open_environment
    from kindctl.actions.logs import log_lines

    chosen, tools = find_environment(name)
    with open_environment(tools, chosen) as cluster:
        for line in log_lines(cluster, workload, tail=tail, follow=follow, previous=previous):
            typer.echo(f"{typer.style(line.source, dim=True)} {line.text}")
