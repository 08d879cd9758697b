"""kindctl up"""

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
        typer.Option(help="Seconds for the whole; default: each step has its own.", min=1),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Make the environment, or what is missing of it, and wait until its URLs answer.

    Run again, it changes nothing that is as it should be, and repairs what is not.

    [bold]Examples[/bold]

      kindctl up --yes            the sample, with all that this machine lacks
      kindctl up -f shop/         the environment of shop/kindctl.yaml
      kindctl up -o json | jq .   one JSON object a line: docs/events.md
    """
    from kindctl.actions.up import up
    from kindctl.cli.signals import interruptible
    from kindctl.config.load import load
    from kindctl.render.report import render_up
    from kindctl.render.screen import choose

    loaded = load(file, name=name)
    with interruptible() as stop, choose(output) as screen:
        report = up(
            loaded,
            get_tools(),
            emit=screen,
            agree=lambda wishes: ask(wishes, yes=yes),
            stop=stop,
            timeout=timeout,
            say=note,
            confirm=lambda foreign: ask_context(foreign, yes=yes),
        )
    if output != "json":
        render_up(report)
