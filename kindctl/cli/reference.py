"""docs/cli.md from the command tree. A test compares it with the file."""

from __future__ import annotations

import re
from typing import Any

import typer


def as_markdown() -> str:
    from kindctl.cli.app import app

    lines = [
        "# Commands",
        "",
        "Generated from the command tree: `python -m kindctl.cli.reference > docs/cli.md`.",
        "",
        "Exit codes: 0 done · 1 failed · 2 usage or configuration · 3 the machine is not fit · 4 not ready",
        "in time · 5 `plan` found changes · 130 interrupted. Results go to standard output, the rest to",
        "standard error.",
        "",
    ]
    _describe(typer.main.get_command(app), "kindctl", lines)
    return "\n".join(lines)


def _describe(command: Any, path: str, lines: list[str]) -> None:
    children = getattr(command, "commands", {})
    if path != "kindctl":
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        words = [path, *(f"[{(a.metavar or a.name).upper()}]" for a in arguments)]
        lines += [f"## {' '.join(words)}", "", _plain(command.help or ""), ""]
        options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
        shown = [p for p in options if p.name != "help"]
        if shown or arguments:
            lines += ["| option | meaning |", "|---|---|"]
            lines += [f"| `{(a.metavar or a.name).upper()}` | {a.help or ''} |" for a in arguments]
            lines += [f"| {_names(option)} | {option.help or ''} |" for option in shown]
            lines.append("")
    for name, child in children.items():
        _describe(child, f"{path} {name}", lines)


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])


def _plain(text: str) -> str:
    """Rich markup and the example block as Markdown."""
    head, _, examples = text.partition("[bold]Examples[/bold]")
    paragraphs = re.sub(r"\n{3,}", "\n\n", head.replace("\f", "").strip())
    if not examples:
        return paragraphs
    block = "\n".join(line.strip() for line in examples.strip().splitlines() if line.strip())
    return f"{paragraphs}\n\n```console\n{block}\n```"


if __name__ == "__main__":
    print(as_markdown(), end="")
