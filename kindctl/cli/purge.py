"""The command `kindctl purge`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import Yes, get_tools, note


def command(
    yes: Yes = False,
    keep_engine: Annotated[
        bool, typer.Option("--keep-engine", help="Keep the engine that kindctl installed.")
    ] = False,
) -> None:
    """Remove all environments, images and caches of kindctl, and the engine if kindctl installed it."""
    from kindctl.actions.purge import planned_removals, purge

    tools = get_tools()
    removals = planned_removals(tools, keep_engine=keep_engine)
    for removal in removals:
        note(f"  - {removal}")
    if not removals:
        note("nothing to remove")
    elif yes or typer.confirm("Remove all of this?", err=True):
        purge(tools, keep_engine=keep_engine, say=note)
