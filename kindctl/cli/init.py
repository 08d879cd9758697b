"""kindctl init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindctl.cli.common import note


def examples(incomplete: str) -> list[tuple[str, str]]:
    """For the shell's completion: names and what they show."""
    from kindctl.actions.examples import example_rows

    return [(row.name, row.way_in) for row in example_rows() if row.name.startswith(incomplete)]


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path(),
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Default: the folder's name.", show_default=False),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            "-e",
            metavar="NAME",
            help="Write this example, with all that it uses; `list` shows which there are.",
            show_default=False,
            autocompletion=examples,
        ),
    ] = None,
) -> None:
    """Write a commented kindctl.yaml to start from, or an example. Nothing that exists is overwritten.

    [bold]Examples[/bold]

      kindctl init                         an empty environment, every key explained
      kindctl init --example list          which examples there are
      kindctl init --example traefik web   one of them, in the folder web
    """
    from kindctl.actions.examples import example_rows
    from kindctl.actions.init import init

    if example == "list":
        from kindctl.render.tables import show

        show(example_rows())
        return
    path = init(folder, name, example)
    note("written; `kindctl plan` says what it would make:")
    typer.echo(str(path))
