"""What the commands share: options, questions to the user, and finding the environment."""

from __future__ import annotations

import sys
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
        "--file", "-f", help="kindctl.yaml to use; default: the nearest one, else the sample."
    ),
]
Name = Annotated[str | None, typer.Option("--name", "-n", help="Name of the environment.")]
NameArgument = Annotated[
    str | None, typer.Argument(help="Name of the environment; default: the one in kindctl.yaml.")
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask; print what will be done, then do it.")
]
OutputOption = Annotated[
    Output | None,
    typer.Option("--output", "-o", help="Output format; default: human on a terminal, else plain."),
]
TableOption = Annotated[Table, typer.Option("--output", "-o", help="Output format.")]


def get_tools() -> Tools:
    from kindctl.tools.real import real_tools

    return real_tools()


def find_environment(name: str | None, file: Path | None = None) -> tuple[str, Tools]:
    """Return the name of the environment that the command line means, and the tools to work on it.

    Raises UsageError if it is not clear which environment is meant, ConfigError for a file that is not
    valid and has no name.
    """
    from kindctl.actions.environments import choose_name

    tools = get_tools()
    return choose_name(tools, name, file), tools


def show(rows: Sequence[object], output: str = Table.human, *, empty: str = "") -> None:
    """Print rows as a table or as JSON. If there are no rows, print `empty` to standard error."""
    from kindctl.render import tables

    tables.show(rows, output, empty=empty)


def note(text: str) -> None:
    """Print a line for people to standard error. Results go to standard output."""
    typer.echo(text, err=True)


def ask(actions: Sequence[str], *, yes: bool, heading: str = "This machine needs:") -> bool:
    """Print what would be done to this machine. Return True if `yes` is set, or if the user at the terminal
    agrees."""
    note(heading)
    for action in actions:
        note(f"  - {action}")
    if yes:
        return True
    return sys.stdin.isatty() and typer.confirm("Do it now?", err=True)


def ask_context(foreign: ForeignCluster, *, yes: bool) -> bool:
    """Return whether kindctl may use a cluster that it did not create. To agree, the user must type the
    name of the context.

    `yes` is enough only if kindctl.yaml also names the API server, because the same context name may mean
    another cluster on another machine.
    """
    if yes:
        return foreign.named
    if not sys.stdin.isatty():
        return False
    note(
        f"Environment {foreign.environment} will be applied to a cluster that kindctl did not create:"
    )
    note(f"  context {foreign.context}, {foreign.server}")
    note("Existing objects are left alone. `kindctl down` removes what kindctl applied.")
    typed = typer.prompt(
        "Type the name of the context to continue", default="", show_default=False, err=True
    )
    return str(typed).strip() == foreign.context
