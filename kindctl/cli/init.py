"""The command `kindctl init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindctl.cli.common import note, show


def complete_example(incomplete: str) -> list[tuple[str, str]]:
    """Return the completions for the shell: the names of the examples, with a description of each."""
    from kindctl.actions.examples import example_rows

    return [(row.name, row.way_in) for row in example_rows() if row.name.startswith(incomplete)]


def command(
    folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path(),
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Name of the environment; default: the folder's name."),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            "-e",
            metavar="NAME",
            help="Write this example and everything it uses; `list` lists the examples.",
            autocompletion=complete_example,
        ),
    ] = None,
) -> None:
    """Write a commented kindctl.yaml to start from, or an example. Never overwrites a file.

    [bold]Examples[/bold]

      kindctl init                         an empty environment, every key explained
      kindctl init --example list          list the examples
      kindctl init --example traefik web   write an example to the folder web
    """
    from kindctl.actions.examples import example_rows
    from kindctl.actions.init import init

    if example == "list":
        show(example_rows())
        return
    path = init(folder, name, example)
    note("wrote this file; `kindctl plan` shows what it would create:")
    typer.echo(str(path))
