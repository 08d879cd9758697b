"""The command `kindctl forward`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kindctl.cli.common import Name, NameArgument, Table, TableOption, find_environment, note, show

NameOption = Annotated[str | None, typer.Option("--name", help="Name of the environment.")]


class _StartByDefault(TyperGroup):
    """Reads `kindctl forward SERVICE` as `kindctl forward start SERVICE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_StartByDefault,
    help="Forward local ports to Services: `kindctl forward SERVICE[:PORT] [LOCAL]`.",
    no_args_is_help=True,
)


@app.command("start")
def start(
    service: Annotated[
        str,
        typer.Argument(
            help="SERVICE, SERVICE:PORT or NAMESPACE/SERVICE:PORT; PORT is a number or a name."
        ),
    ],
    local: Annotated[
        int | None,
        typer.Argument(
            help="Local port; default: the Service's port, or a similar one that is free.",
            min=1,
            max=65535,
        ),
    ] = None,
    *,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="Namespace of the Service; default: the only one that has it."
        ),
    ] = None,
    address: Annotated[
        str, typer.Option(help="Local address to listen on; 0.0.0.0: reachable by other machines.")
    ] = "127.0.0.1",
    foreground: Annotated[
        bool,
        typer.Option("--foreground", "-F", help="Run until Ctrl-C and report failed connections."),
    ] = False,
    name: NameOption = None,
) -> None:
    """Forward a local port to the ready pods of a Service, until it is stopped or the environment removed.

    The forward runs in the background and survives deleted pods, rollouts
    and restarts of the node. The word "start" is optional.

    [bold]Examples[/bold]

      kindctl forward pg-service 15432           then: psql -h localhost -p 15432
      kindctl forward backend-service:http       on its own port, or a similar one
      kindctl forward web 8080 --foreground      until Ctrl-C
    """
    from kindctl.actions.forwards import forward, forward_held, wanted_forward
    from kindctl.forward.client import describe

    chosen, tools = find_environment(name)
    wanted = wanted_forward(chosen, tools, service, local, namespace=namespace, address=address)
    if foreground:
        note(f"{describe(wanted)}, until Ctrl-C")
        with suppress(KeyboardInterrupt):
            for failure in forward_held(chosen, tools, wanted):
                note(failure)
            note(f"stopped forwarding {describe(wanted)}")
        return
    failure = forward(chosen, tools, wanted)
    typer.echo(describe(wanted))
    if failure:
        note(f"no connection succeeds yet: {failure}")


@app.command("list")
def list_(
    environment: NameArgument = None, name: Name = None, output: TableOption = Table.human
) -> None:
    """List the forwarded ports and the pods behind them.

    [bold]Examples[/bold]

      kindctl forward list
      kindctl forward list -o json
    """
    from kindctl.actions.forwards import forward_list

    show(forward_list(*find_environment(environment or name)), output)


@app.command("stop")
def stop(
    which: Annotated[
        str | None, typer.Argument(help="A local port or a Service; default: all.")
    ] = None,
    name: NameOption = None,
) -> None:
    """Stop forwards and close their connections. The next `up` restarts those of kindctl.yaml.

    [bold]Examples[/bold]

      kindctl forward stop 15432    by local port
      kindctl forward stop          all
    """
    from kindctl.actions.forwards import forward_stop
    from kindctl.forward.client import describe

    stopped = forward_stop(*find_environment(name), which)
    for forward in stopped:
        note(f"stopped forwarding {describe(forward)}")
    if not stopped:
        note("nothing is forwarded")
