"""The command `kindctl urls`."""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, NameArgument, find_environment


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Print the URLs of an environment, one per line."""
    from kindctl.actions.status import urls

    for url in urls(*find_environment(environment or name, file)):
        typer.echo(url)
