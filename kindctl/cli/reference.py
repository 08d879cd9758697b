"""Generates docs/cli.md from the command tree. A test compares the result with the file."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

import typer


def as_markdown() -> str:
    """Return the page of all commands, with one section for each panel of `kindctl --help`."""
    from kindctl.cli.app import PANELS, app

    lines = [
        "# Commands",
        "",
        "Generated from the command tree: `python -m kindctl.cli.reference > docs/cli.md`.",
        "",
        "Exit codes: 0 success · 1 failure · 2 wrong usage or configuration · 3 machine not suitable",
        "· 4 not ready in time · 5 `plan` found changes · 130 interrupted. Results go to standard output,",
        "everything else to standard error.",
        "",
    ]
    tree: Any = typer.main.get_command(app)
    for panel, names in PANELS.items():
        lines += [f"## {panel}", ""]
        for name in names:
            _describe(tree.commands[name], f"kindctl {name}", lines)
    return "\n".join(lines).rstrip() + "\n"


def _describe(command: Any, path: str, lines: list[str]) -> None:
    """Add the section of a command, or the sections of its subcommands, to `lines`."""
    children = getattr(command, "commands", None)
    if children is not None:
        for name, child in children.items():
            _describe(child, f"{path} {name}", lines)
        return
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [
        p
        for p in command.params
        if p.param_type_name == "option" and not p.hidden and p.name != "help"
    ]
    words = [path, *(f"[{_metavar(a)}]{'...' if a.nargs == -1 else ''}" for a in arguments)]
    lines += [f"### {' '.join(words)}", "", _help(command.help or ""), ""]
    if arguments or options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{_metavar(a)}` | {a.help} |" for a in arguments]
        lines += [f"| {_names(option)} | {_meaning(option)} |" for option in options]
        lines.append("")


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])


def _meaning(option: Any) -> str:
    text = str(option.help)
    if choices := _choices(option):
        text += f" One of {', '.join(map(_value, choices))}."
    if option.show_default and not option.is_flag and option.default is not None:
        text += f" Default: {_value(option.default)}."
    return text


def _choices(option: Any) -> list[Any]:
    # Newer versions of typer have no click types.
    descriptor = getattr(option, "type_descriptor", None)
    if descriptor is None:
        return list(getattr(option.type, "choices", ()))
    kind = descriptor.annotation
    return list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []


def _value(value: Any) -> str:
    return f"`{getattr(value, 'value', value)}`"


def _help(text: str) -> str:
    """Return the help text of a command as Markdown, with its examples as a code block."""
    head, _, examples = text.partition("[bold]Examples[/bold]")
    paragraphs = re.sub(r"\n{3,}", "\n\n", head.replace("\f", "").strip())
    if not examples:
        return paragraphs
    calls = [line.strip() for line in examples.splitlines() if line.strip()]
    block = "\n".join(re.sub(r"( {2,})(?=\S)", r"\1# ", call, count=1) for call in calls)
    return f"{paragraphs}\n\n```console\n{block}\n```"


if __name__ == "__main__":
    print(as_markdown(), end="")
