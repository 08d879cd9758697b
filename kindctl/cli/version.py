"""kindctl version"""

from __future__ import annotations

import typer

from kindctl.cli.common import Table, TableOption, get_tools


def command(output: TableOption = Table.human) -> None:
    """Print the versions of kindctl and of what it drives."""
    from kindctl.actions.version import versions
    from kindctl.render.tables import show

    found = versions(get_tools())
    if output is Table.human:
        for name, value in found.items():
            typer.echo(f"{name:<12} {value}")
    else:
        show([found], output)
