"""What the commands share: their options, and the way from an error to an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kindctl.providers.base import ForeignCluster
    from kindctl.tools.protocols import Tools


class Output(StrEnum):
    human = "human"
    plain = "plain"
    json = "json"


class Table(StrEnum):
    human = "human"
    json = "json"


File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="kindctl.yaml to use; default: the nearest one, else the sample.",
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", "-n", help="Name of the environment.", show_default=False),
]
NameArgument = Annotated[
    str | None,
    typer.Argument(help="Name of the environment; default: the file's.", show_default=False),
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Agree to what has to be installed; it is said first.")
]
OutputOption = Annotated[
    Output | None,
    typer.Option(
        "--output", "-o", help="Form of the output; default: human on a terminal, else plain."
    ),
]
TableOption = Annotated[Table, typer.Option("--output", "-o", help="Form of the result.")]


def get_tools() -> Tools:
    from kindctl.tools.real import real_tools

    return real_tools()


def note(text: str) -> None:
    """A line for people, apart from the result on standard output."""
    typer.echo(text, err=True)


def ask(wishes: Sequence[str], *, yes: bool, heading: str = "This machine needs:") -> bool:
    """Say what would be done to this machine; agreed with --yes, or by a person at a terminal."""
    import sys

    note(heading)
    for wish in wishes:
        note(f"  - {wish}")
    if yes:
        return True
    return sys.stdin.isatty() and typer.confirm("Do it now?", err=True)


def ask_context(foreign: ForeignCluster, *, yes: bool) -> bool:
    """Whether a cluster that kindctl did not make may be used: a person types its context's name. `--yes`
    agrees only where the file names the cluster's API server too: contexts are named on each machine."""
    import sys

    if yes:
        return foreign.named
    if not sys.stdin.isatty():
        return False
    note(
        f"Environment {foreign.environment} would be applied to a cluster that kindctl did not make:"
    )
    note(f"  context {foreign.context}, {foreign.server}")
    note("What is there is left alone; `kindctl down` removes what kindctl applied.")
    typed = typer.prompt(
        "Type the context's name to go on", default="", show_default=False, err=True
    )
    return str(typed).strip() == foreign.context
