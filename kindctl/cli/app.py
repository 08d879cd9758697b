"""The command tree. The order here is that of `kindctl --help`."""

from __future__ import annotations

from importlib import import_module

import typer

PANELS = {
    "Manage environments": ("up", "plan", "down", "forward", "list"),
    "Inspect an environment": ("status", "urls", "open", "logs", "kubeconfig"),
    "Work with kindctl.yaml": ("init", "explain", "config"),
    "Manage this machine": ("doctor", "images", "trust", "purge", "version"),
}
"""Panel of the help -> its commands. Each command has a module of its name in this folder, with a function
`command` or, if it has subcommands, a Typer `app`."""


def command_tree() -> typer.Typer:
    tree = typer.Typer(
        name="kindctl",
        help="Create a local Kubernetes environment with one command, and wait until its URLs answer.",
        epilog="First time: kindctl up --yes · Error codes: docs/troubleshooting",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, names in PANELS.items():
        for name in names:
            module = import_module(f"kindctl.cli.{name}")
            if hasattr(module, "app"):
                tree.add_typer(module.app, name=name, rich_help_panel=panel)
            else:
                tree.command(name, rich_help_panel=panel)(module.command)
    return tree


app = command_tree()
