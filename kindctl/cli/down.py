"""kindctl down"""

from __future__ import annotations

from kindctl.cli.common import File, Name, NameArgument, get_tools, note


def command(environment: NameArgument = None, name: Name = None, file: File = None) -> None:
    """Remove an environment: its containers, volumes and kubeconfig. Images stay for the next `up`.

    In an existing cluster: what kindctl applied there, and nothing else.

    [bold]Examples[/bold]

      kindctl down          the environment of the nearest kindctl.yaml, or the only one
      kindctl down shop     by name, from anywhere
    """
    from kindctl.actions.down import down
    from kindctl.actions.environments import choose_name

    tools = get_tools()
    chosen = choose_name(tools, environment or name, file)
    change = down(chosen, tools, say=note)
    for done in change.done:
        note(done)
    note(f"{chosen} is gone" if change else f"there is no environment {chosen!r}: nothing to do")
