"""kindctl explain"""

from __future__ import annotations

from typing import Annotated

import typer


def ways_in(incomplete: str) -> list[tuple[str, str]]:
    """For the shell's completion."""
    from kindctl.actions.examples import ways

    return [(way.name, way.way_in) for way in ways() if way.name.startswith(incomplete)]


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of a way in; default: all, and when to choose which.",
            show_default=False,
            autocompletion=ways_in,
        ),
    ] = None,
) -> None:
    """Print the path that a request takes by a way in: NodePort, LoadBalancer, Gateway API, ...

    [bold]Examples[/bold]

      kindctl explain               which way in to choose when
      kindctl explain node-port     one of them
    """
    from kindctl.actions.examples import page, ways
    from kindctl.render.tables import show

    if name is None:
        show(ways())
        return
    found = page(name)
    typer.echo(f"{found.summary}\n\n{found.picture}\n")
    typer.echo(f"docs/ways-in/{name}.md · kindctl init --example {name}", err=True)
