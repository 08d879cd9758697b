"""kindctl urls"""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, NameArgument, get_tools


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Print the URLs of an environment, one a line."""
    from kindctl.actions.environments import choose_name
    from kindctl.actions.status import urls

    tools = get_tools()
    for url in urls(choose_name(tools, environment or name, file), tools):
        typer.echo(url)
