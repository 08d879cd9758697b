"""kindctl forward"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kindctl.cli.common import Name, NameArgument, Table, TableOption, get_tools, note

NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the environment.", show_default=False)
]


class _ServiceFirst(TyperGroup):
    """`kindctl forward SERVICE` is `kindctl forward start SERVICE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ServiceFirst,
    help="Forward ports of this machine to Services: `kindctl forward SERVICE[:PORT] [LOCAL]`.",
    no_args_is_help=True,
)


@app.command("start")
def start(
    service: Annotated[
        str,
        typer.Argument(
            help="SERVICE, SERVICE:PORT or NAMESPACE/SERVICE:PORT; the port by number or name.",
            show_default=False,
        ),
    ],
    local: Annotated[
        int | None,
        typer.Argument(
            help="Port of this machine; default: the Service's, or a free one beside it.",
            show_default=False,
            min=1,
            max=65535,
        ),
    ] = None,
    *,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="Of the Service; default: the only one that has it."
        ),
    ] = None,
    address: Annotated[
        str, typer.Option(help="Of this machine; 0.0.0.0: everyone who reaches it.")
    ] = "127.0.0.1",
    foreground: Annotated[
        bool,
        typer.Option("--foreground", "-F", help="Until Ctrl-C, saying which connection failed."),
    ] = False,
    name: NameOption = None,
) -> None:
    """Forward a port to the ready pods of a Service, until it is stopped or the environment goes.

    It survives deleted pods, rollouts and a restart of the node, and goes on when this command has
    ended. "start" can be left out.

    [bold]Examples[/bold]

      kindctl forward pg-service 15432           then: psql -h localhost -p 15432
      kindctl forward backend-service:http       on the Service's own port, or one beside it
      kindctl forward web 8080 --foreground      until Ctrl-C
    """
    from kindctl.actions.environments import choose_name
    from kindctl.actions.forwards import forward, forward_held, wanted_forward
    from kindctl.forward.client import describe

    tools = get_tools()
    chosen = choose_name(tools, name)
    wanted = wanted_forward(chosen, tools, service, local, namespace=namespace, address=address)
    if foreground:
        note(f"{describe(wanted)}, until Ctrl-C")
        with suppress(KeyboardInterrupt):
            for failed in forward_held(chosen, tools, wanted):
                note(failed)
            note(f"forwarded no longer: {describe(wanted)}")
        return
    fault = forward(chosen, tools, wanted)
    typer.echo(describe(wanted))
    if fault:
        note(f"no connection gets through yet: {fault}")


@app.command("list")
def list_(
    environment: NameArgument = None, name: Name = None, output: TableOption = Table.human
) -> None:
    """List what is forwarded, with the pods behind it.

    [bold]Examples[/bold]

      kindctl forward list
      kindctl forward list -o json
    """
    from kindctl.actions.environments import choose_name
    from kindctl.actions.forwards import forward_list
    from kindctl.render.tables import show

    tools = get_tools()
    show(forward_list(choose_name(tools, environment or name), tools), output)


@app.command("stop")
def stop(
    which: Annotated[
        str | None,
        typer.Argument(help="A local port or a Service; default: all.", show_default=False),
    ] = None,
    name: NameOption = None,
) -> None:
    """End forwards, with the connections that they carry. Those of the file come back with `up`.

    [bold]Examples[/bold]

      kindctl forward stop 15432    by the local port
      kindctl forward stop          all
    """
    from kindctl.actions.environments import choose_name
    from kindctl.actions.forwards import forward_stop
    from kindctl.forward.client import describe

    tools = get_tools()
    gone = forward_stop(choose_name(tools, name), tools, which)
    for forward in gone:
        note(f"forwarded no longer: {describe(forward)}")
    if not gone:
        note("nothing was forwarded")
