"""kindctl list"""

from __future__ import annotations

from kindctl.cli.common import Table, TableOption, get_tools


def command(output: TableOption = Table.human) -> None:
    """List the environments on this engine, and those in existing clusters that were brought up here."""
    from kindctl.actions.environments import environments
    from kindctl.render.tables import show

    show(environments(get_tools()), output, empty="no environments: kindctl up makes one")
