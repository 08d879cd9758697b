"""kindctl kubeconfig"""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Name, NameArgument, get_tools, note


def command(
    environment: NameArgument = None,
    name: Name = None,
    file: File = None,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Put its entries into kubectl's default file; `down` removes them."
        ),
    ] = False,
    export: Annotated[bool, typer.Option("--export", help="Print the line for `eval`.")] = False,
) -> None:
    """Print the path of the environment's kubeconfig.

    [bold]Examples[/bold]

      eval "$(kindctl kubeconfig --export)" && kubectl get pods -A
      kindctl kubeconfig --merge && kubectl --context kind-sample get nodes
    """
    import shlex

    from kindctl.actions.environments import choose_name
    from kindctl.actions.kubeconfigs import kubeconfig_path, merge_kubeconfig

    tools = get_tools()
    chosen = choose_name(tools, environment or name, file)
    if merge:
        path = merge_kubeconfig(chosen, tools)
        note(f"context kind-{chosen} is in:")
    else:
        path = kubeconfig_path(chosen, tools)
    typer.echo(f"export KUBECONFIG={shlex.quote(str(path))}" if export else str(path))
