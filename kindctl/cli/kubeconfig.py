"""The command `kindctl kubeconfig`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindctl.cli.common import File, Name, NameArgument, find_environment, note


def command(
    environment: NameArgument = None,
    name: Name = None,
    file: File = None,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Add the entries to kubectl's default file; `down` removes them."
        ),
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Print an `export` line for the shell's `eval`.")
    ] = False,
) -> None:
    """Print the path of the environment's kubeconfig.

    [bold]Examples[/bold]

      eval "$(kindctl kubeconfig --export)" && kubectl get pods -A
      kindctl kubeconfig --merge && kubectl --context kind-sample get nodes
    """
    import shlex

    from kindctl.actions.kubeconfigs import kubeconfig_path, merge_kubeconfig

    chosen, tools = find_environment(environment or name, file)
    if merge:
        path = merge_kubeconfig(chosen, tools)
        note(f"added context kind-{chosen} to:")
    else:
        path = kubeconfig_path(chosen, tools)
    typer.echo(f"export KUBECONFIG={shlex.quote(str(path))}" if export else str(path))
