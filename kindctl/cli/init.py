"""kindctl init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindctl.cli.common import note


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path(),
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Default: the folder's name.", show_default=False),
    ] = None,
) -> None:
    """Write a commented kindctl.yaml to start from. An existing one is never overwritten."""
    from kindctl.actions.init import init

    path = init(folder, name)
    note("written; `kindctl plan` says what it would make:")
    typer.echo(str(path))
