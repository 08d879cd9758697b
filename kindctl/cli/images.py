"""The command `kindctl images`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, OutputOption, Table, TableOption, get_tools, show

app = typer.Typer(help="Manage the images that environments need.", no_args_is_help=True)

Names = Annotated[
    list[str] | None, typer.Argument(help="Names, as in `images list`; default: all.")
]


@app.command("list")
def list_images(file: File = None, output: TableOption = Table.human) -> None:
    """List the images that are needed, where each comes from, and whether the engine has it."""
    from kindctl.actions.images import list_images
    from kindctl.config.load import load

    show(list_images(load(file), get_tools()), output)


@app.command()
def pull(names: Names = None, file: File = None, output: OutputOption = None) -> None:
    """Pull the images that registries or their mirrors have."""
    _provide(names, file, output, ("engine", "registry"))


@app.command()
def build(names: Names = None, file: File = None, output: OutputOption = None) -> None:
    """Build images from package registries. Images that are already built are kept.

    [bold]Examples[/bold]

      kindctl images build            everything the environment needs
      kindctl images build node       one image
      kindctl images build helm       for charts, if helm is not installed
    """
    _provide(names, file, output, ("build",))


def _provide(
    names: list[str] | None, file: File, output: OutputOption, sources: tuple[str, ...]
) -> None:
    from kindctl.actions.images import provide_images
    from kindctl.cli.signals import interruptible
    from kindctl.config.load import load
    from kindctl.render.screens import choose_screen

    with interruptible() as stop, choose_screen(output) as screen:
        provide_images(load(file), get_tools(), names or (), sources, emit=screen, stop=stop)
