"""The command `kindctl version`."""

from __future__ import annotations

import typer

from kindctl.cli.common import Table, TableOption, get_tools, show


def command(output: TableOption = Table.human) -> None:
    """Print the versions of kindctl and of the tools that it uses."""
    from kindctl.actions.version import versions

    found = versions(get_tools())
    if output is Table.json:
        show([found], output)
        return
    for name, value in found.items():
        typer.echo(f"{name:<12} {value}")
