"""The command tree. Groups and order are those of `kindctl --help`."""

from __future__ import annotations

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

ENVIRONMENT, LOOK, FILE, MACHINE = (
    "An environment",
    "Look at it",
    "Its file",
    "This machine",
)

app = typer.Typer(
    name="kindctl",
    help="One command from nothing to a local Kubernetes environment whose URL has answered.",
    epilog="First time: kindctl up --yes · Every error has a code: docs/troubleshooting",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("up", rich_help_panel=ENVIRONMENT)(up.command)
app.command("plan", rich_help_panel=ENVIRONMENT)(plan.command)
app.command("down", rich_help_panel=ENVIRONMENT)(down.command)
app.add_typer(forward.app, name="forward", rich_help_panel=ENVIRONMENT)
app.command("list", rich_help_panel=ENVIRONMENT)(list_.command)

app.command("status", rich_help_panel=LOOK)(status.command)
app.command("urls", rich_help_panel=LOOK)(urls.command)
app.command("open", rich_help_panel=LOOK)(open_.command)
app.command("logs", rich_help_panel=LOOK)(logs.command)
app.command("kubeconfig", rich_help_panel=LOOK)(kubeconfig.command)

app.command("init", rich_help_panel=FILE)(init.command)
app.command("explain", rich_help_panel=FILE)(explain.command)
app.add_typer(config.app, name="config", rich_help_panel=FILE)

app.command("doctor", rich_help_panel=MACHINE)(doctor.command)
app.add_typer(images.app, name="images", rich_help_panel=MACHINE)
app.command("trust", rich_help_panel=MACHINE)(trust.command)
app.command("purge", rich_help_panel=MACHINE)(purge.command)
app.command("version", rich_help_panel=MACHINE)(version.command)
