"""The command `kindctl up`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Name, OutputOption, Yes, ask, ask_context, get_tools, note


def command(
    file: File = None,
    name: Name = None,
    yes: Yes = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            help="Limit for the whole run, in seconds; default: one for each step.", min=1
        ),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Create the environment, or whatever is missing from it, and wait until its URLs answer.

    Run it again at any time: it repairs what differs and leaves the rest alone.

    [bold]Examples[/bold]

      kindctl up --yes            the sample; installs what this machine lacks
      kindctl up -f shop/         the environment of shop/kindctl.yaml
      kindctl up -o json | jq .   one JSON object per line: docs/events.md
    """
    from kindctl.actions.up import up
    from kindctl.cli.signals import interruptible
    from kindctl.config.load import load
    from kindctl.render.report import render_up
    from kindctl.render.screens import choose_screen

    loaded = load(file, name=name)
    with interruptible() as stop, choose_screen(output) as screen:
        report = up(
            loaded,
            get_tools(),
            emit=screen,
            agree=lambda actions: ask(actions, yes=yes),
            stop=stop,
            timeout=timeout,
            say=note,
            confirm=lambda foreign: ask_context(foreign, yes=yes),
        )
    if output != "json":
        render_up(report)
