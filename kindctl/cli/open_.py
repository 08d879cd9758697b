"""kindctl open"""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, NameArgument, get_tools, note


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Open the environment's first URL in the browser."""
    import webbrowser

    from kindctl.actions.environments import choose_name
    from kindctl.actions.status import page

    tools = get_tools()
    url = page(choose_name(tools, environment or name, file), tools)
    if not webbrowser.open(url):
        note("no browser here; open this yourself:")
    typer.echo(url)
