"""kindctl purge"""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import get_tools, note


def command(
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; what goes is said first.")
    ] = False,
    keep_engine: Annotated[
        bool, typer.Option("--keep-engine", help="Leave the engine that kindctl installed.")
    ] = False,
) -> None:
    """Take back all of kindctl: environments, images, caches, and the engine if kindctl installed it."""
    from kindctl.actions.purge import purge, purge_intentions

    tools = get_tools()
    wishes = purge_intentions(tools, keep_engine=keep_engine)
    for wish in wishes:
        note(f"  - {wish}")
    if not wishes:
        note("nothing of kindctl is here")
    elif yes or typer.confirm("Remove all of this?", err=True):
        purge(tools, keep_engine=keep_engine, say=note)
