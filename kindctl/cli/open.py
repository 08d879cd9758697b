"""The command `kindctl open`."""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, NameArgument, find_environment, note


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Open the environment's first URL in the browser."""
    import webbrowser

    from kindctl.actions.status import page

    url = page(*find_environment(environment or name, file))
    if not webbrowser.open(url):
        note("no browser found; open this URL yourself:")
    typer.echo(url)
