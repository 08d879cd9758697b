"""The command `kindctl explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import note, show


def complete_name(incomplete: str) -> list[tuple[str, str]]:
    """Return the completions for the shell: the names of the ways in, with a description of each."""
    from kindctl.actions.examples import ways

    return [(way.name, way.way_in) for way in ways() if way.name.startswith(incomplete)]


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of a way in; default: list all of them, and when to choose which.",
            autocompletion=complete_name,
        ),
    ] = None,
) -> None:
    """Show the path of a request into the cluster: NodePort, LoadBalancer, Gateway API, ...

    [bold]Examples[/bold]

      kindctl explain               all ways in, and when to choose which
      kindctl explain node-port     one of them
    """
    from kindctl.actions.examples import page, ways

    if name is None:
        show(ways())
        return
    found = page(name)
    typer.echo(f"{found.summary}\n\n{found.picture}\n")
    note(f"docs/ways-in/{name}.md · kindctl init --example {name}")
