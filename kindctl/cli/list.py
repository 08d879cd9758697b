"""The command `kindctl list`."""

from __future__ import annotations

from kindctl.cli.common import Table, TableOption, get_tools, show


def command(output: TableOption = Table.human) -> None:
    """List the environments of this machine, including those in existing clusters."""
    from kindctl.actions.environments import environments

    show(environments(get_tools()), output, empty="no environments: run `kindctl up` to create one")
