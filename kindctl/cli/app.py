"""The command tree. The order here is that of `kindctl --help`."""

from __future__ import annotations

from types import ModuleType

import typer

from kindctl.cli import (
    config,
    doctor,
    down,
    explain,
    forward,
    images,
    init,
    kubeconfig,
    list_,
    logs,
    open_,
    plan,
    purge,
    status,
    trust,
    up,
    urls,
    version,
)

PANELS: dict[str, tuple[ModuleType, ...]] = {
    "Manage environments": (up, plan, down, forward, list_),
    "Inspect an environment": (status, urls, open_, logs, kubeconfig),
    "Work with kindctl.yaml": (init, explain, config),
    "Manage this machine": (doctor, images, trust, purge, version),
}
"""Panel of the help -> modules. Each is named as its command, and has a function `command` or, for
subcommands, a Typer `app`."""


def command_name(module: ModuleType) -> str:
    """The name of a module's command; modules named as a builtin end with an underscore."""
    return module.__name__.rpartition(".")[2].rstrip("_")


app = typer.Typer(
    name="kindctl",
    help="Create a local Kubernetes environment with one command, and wait until its URLs answer.",
    epilog="First time: kindctl up --yes · Error codes: docs/troubleshooting",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

for panel, modules in PANELS.items():
    for module in modules:
        if hasattr(module, "app"):
            app.add_typer(module.app, name=command_name(module), rich_help_panel=panel)
        else:
            app.command(command_name(module), rich_help_panel=panel)(module.command)
