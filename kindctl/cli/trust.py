"""The command `kindctl trust`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import Table, TableOption, Yes, ask, get_tools, note, show


def command(
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the authority from every store.")
    ] = False,
    status: Annotated[
        bool,
        typer.Option("--status", help="Show which stores trust the authority; change nothing."),
    ] = False,
    yes: Yes = False,
    output: TableOption = Table.human,
) -> None:
    """Make this system and its browsers trust kindctl's certificate authority, for https://localhost.

    The authority can sign certificates only for names of this machine.
    Changes that kindctl cannot make itself are printed as commands.
    Exit code 1: some store is not as requested.

    [bold]Examples[/bold]

      kindctl trust             the system (as root) and this user's browsers
      kindctl trust --status    show who trusts it, and its file for curl --cacert
      kindctl trust --remove    remove it everywhere
    """
    import os
    from pathlib import Path

    from kindctl.actions import trust as actions
    from kindctl.errors import UsageError

    if remove and status:
        raise UsageError("--remove and --status cannot be used together")
    host, home = get_tools().host, Path.home()
    if os.environ.get("SUDO_USER") and not actions.standing(host, home).authority:
        raise UsageError(
            "with sudo, this would create a separate certificate authority for root",
            fix="run `kindctl trust` without sudo: it prints the commands that need root",
        )
    if status:
        outcome = actions.standing(host, home)
    else:
        act = actions.untrust if remove else actions.trust
        heading = "This will be done:"
        outcome = act(host, home, agree=lambda a: ask(a, yes=yes, heading=heading), say=note)
    show(
        outcome.standings, output, empty="kindctl has no certificate authority on this machine yet"
    )
    if outcome.authority and output == Table.human:
        note(f"The authority: {outcome.authority}")
        note("Restart running browsers for changes to take effect.")
    if outcome.left:
        note("\nRun these commands yourself:")
        for line in outcome.left:
            note(f"  {line}")
    wanted = "no" if remove else "yes"
    missing = not outcome.standings and not remove
    if missing or any(row.trust != wanted for row in outcome.standings):
        raise typer.Exit(1)
