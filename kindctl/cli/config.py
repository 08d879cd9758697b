"""The command `kindctl config`."""

from __future__ import annotations

import typer

from kindctl.cli.common import File, Name, get_tools, note

app = typer.Typer(help="Show and check kindctl.yaml.", no_args_is_help=True)


@app.command()
def show(file: File = None, name: Name = None) -> None:
    """Print the complete configuration, including defaults and kindctl.local.yaml."""
    from kindctl.config.load import load
    from kindctl.config.reference import as_yaml

    loaded = load(file, name=name)
    note(f"# from {loaded.file}")
    typer.echo(as_yaml(loaded.config), nl=False)


@app.command()
def validate(file: File = None) -> None:
    """Report every problem in the file and its manifests, with its place. Exit code 2 if there are any."""
    from kindctl.actions.validate import validate

    path, warnings = validate(file, get_tools())
    for warning in warnings:
        note(f"warning: {warning}")
    typer.echo(f"{path} is valid")


@app.command()
def schema() -> None:
    """Print the JSON Schema of kindctl.yaml, for editors."""
    import json

    from kindctl.config.reference import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
