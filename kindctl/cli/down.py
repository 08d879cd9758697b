"""The command `kindctl down`."""

from __future__ import annotations

from kindctl.cli.common import File, Name, NameArgument, find_environment, note


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Remove an environment: its containers, volumes and kubeconfig. Images stay for the next `up`.

    In an existing cluster, remove only what kindctl applied there.

    [bold]Examples[/bold]

      kindctl down          the environment of the nearest kindctl.yaml, or the only one
      kindctl down shop     by name, from any folder
    """
    from kindctl.actions.down import down

    chosen, tools = find_environment(environment or name, file)
    change = down(chosen, tools, say=note)
    for done in change.done:
        note(done)
    note(f"removed {chosen}" if change else f"no environment {chosen!r}: nothing to do")
