"""kindctl trust"""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import Table, TableOption, ask, get_tools, note


def command(
    remove: Annotated[bool, typer.Option("--remove", help="Take it back everywhere.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Say who trusts it; change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; what is done is said first.")
    ] = False,
    output: TableOption = Table.human,
) -> None:
    """Make this system and its browsers accept https://localhost, by kindctl's own authority.

    That authority can sign for names of this machine only. What kindctl may not change itself is
    printed as commands. Exit code 1: some store is not as asked.

    [bold]Examples[/bold]

      kindctl trust             the system's store (as root) and the browsers' of this user
      kindctl trust --status    who trusts it, and the authority's file, for curl --cacert
      kindctl trust --remove    as if it had never been there
    """
    import os
    from pathlib import Path

    from kindctl.actions import trust as actions
    from kindctl.errors import UsageError
    from kindctl.render.tables import show

    if remove and status:
        raise UsageError("--remove and --status exclude each other")
    host, home = get_tools().host, Path.home()
    if os.environ.get("SUDO_USER") and not actions.standing(host, home).authority:
        raise UsageError(
            "this would make root an authority of its own, apart from yours",
            fix="run it without sudo: what root has to do is printed",
        )
    if status:
        outcome = actions.standing(host, home)
    else:
        act = actions.untrust if remove else actions.trust
        heading = "To be done:"
        outcome = act(host, home, agree=lambda w: ask(w, yes=yes, heading=heading), say=note)
    show(outcome.standings, output, empty="there is no certificate authority of kindctl yet")
    if outcome.authority and output == Table.human:
        note(f"The authority: {outcome.authority}")
        note("Browsers that run see a change at their next start.")
    if outcome.left:
        note("\nLeft to you:")
        for line in outcome.left:
            note(f"  {line}")
    if any(row.trust != ("no" if remove else "yes") for row in outcome.standings):
        raise typer.Exit(1)
    if not outcome.standings and not remove:
        raise typer.Exit(1)
