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

PANELS: dict[str, dict[str, ModuleType]] = {
    "Manage environments": {
        "up": up,
        "plan": plan,
        "down": down,
        "forward": forward,
        "list": list_,
    },
    "Inspect an environment": {
        "status": status,
        "urls": urls,
        "open": open_,
        "logs": logs,
        "kubeconfig": kubeconfig,
    },
    "Work with kindctl.yaml": {"init": init, "explain": explain, "config": config},
    "Manage this machine": {
        "doctor": doctor,
        "images": images,
        "trust": trust,
        "purge": purge,
        "version": version,
    },
}
"""Panel of the help -> name -> module with a function `command`, or a Typer `app` of subcommands."""

app = typer.Typer(
    name="kindctl",
    help="Create a local Kubernetes environment with one command, down to URLs that answer.",
    epilog="First time: kindctl up --yes · Error codes: docs/troubleshooting",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

for panel, modules in PANELS.items():
    for name, module in modules.items():
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(module.command)
