"""Draws the tables of `list`, `status`, `plan`, `images` and `doctor`.

A row is a frozen dataclass or a mapping; its fields are the columns, in order.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, TextIO

from kindctl.models import Verdict
from kindctl.render.style import COLOURS, Paint, is_terminal, one_line

NOTHING = "-"
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")  # terminals show only the start
GAP = 2


def show(
    rows: Sequence[object], output: str = "human", *, empty: str = "", stream: TextIO | None = None
) -> None:
    """Write rows to standard output as a table, or as a JSON list if `output` is json.

    If there are no rows, the text `empty` is written to standard error instead of a table.
    """
    stream = stream or sys.stdout
    if output == "json":
        stream.write(json.dumps([_fields(row) for row in rows], indent=2, default=str) + "\n")
    elif not rows:
        sys.stderr.write(f"{empty}\n" if empty else "")
    elif all(isinstance(row, Verdict) for row in rows):
        from kindctl.render.verdicts import verdict_lines

        verdicts = [row for row in rows if isinstance(row, Verdict)]
        stream.write("\n".join(verdict_lines(verdicts, stream)) + "\n")
    elif is_terminal(stream):
        _show_rich(rows, stream)
    else:
        stream.write("\n".join(plain_table(rows)) + "\n")
    stream.flush()


def plain_table(rows: Sequence[object]) -> list[str]:
    """Return aligned columns with one unwrapped line for each row, which suits `grep` and `awk`."""
    names, cells = _cells(rows)
    table = [[_header(name) for name in names], *cells]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def _show_rich(rows: Sequence[object], stream: TextIO) -> None:
    """Write a table wrapped between words, or a block for each row if the terminal is too narrow for it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names, cells = _cells(rows, several="\n")
    cells = [[_DIGEST.sub(r"\1…", cell) for cell in line] for line in cells]
    headers = map(_header, names)
    table = Table(*headers, box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for line in cells:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in line))
    console = Console(file=stream, highlight=False)
    unlimited = console.options.update(max_width=sys.maxsize)
    if console.measure(table, options=unlimited).minimum <= console.width:
        console.print(table)
    else:
        stream.write("\n".join(blocks(names, cells, stream)) + "\n")


def blocks(names: Sequence[str], cells: Sequence[Sequence[str]], stream: TextIO) -> list[str]:
    """Return each row as a block: its first field, and below it the other non-empty fields, one on each
    line."""
    paint = Paint(stream)
    width = max((len(name) for name in names[1:]), default=0)
    lines = []
    for head, *rest in cells:
        lines.append(paint(head, "bold"))
        for name, cell in zip(names[1:], rest, strict=True):
            label = paint(name.replace("_", " ").ljust(width), "dim")
            for place, line in enumerate([] if cell == NOTHING else cell.splitlines()):
                lines.append(f"  {' ' * width if place else label}  {paint(line, _style(cell))}")
    return lines


def _cells(rows: Sequence[object], several: str = ", ") -> tuple[list[str], list[list[str]]]:
    """Return the column names, and the text of each cell. Columns that are empty in all rows are left
    out."""
    fields = [_fields(row) for row in rows]
    names = list(dict.fromkeys(name for row in fields for name in row))
    table = [{name: _cell(name, row.get(name), several) for name in names} for row in fields]
    names = [name for name in names if any(row[name] != NOTHING for row in table)]
    return names, [[row[name] for name in names] for row in table]


def _fields(row: object) -> Mapping[str, Any]:
    if is_dataclass(row) and not isinstance(row, type):
        return asdict(row)
    if isinstance(row, Mapping):
        return row
    raise TypeError(f"a row must be a dataclass or a mapping: {row!r}")


def _cell(name: str, value: object, several: str) -> str:
    match value:
        case None | "" | () | []:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case int() if name == "size":  # in bytes, whatever the row
            return f"{value / 1e6:.0f} MB" if value else NOTHING
        case list() | tuple():
            return several.join(_cell(name, item, several) for item in value)
    return one_line(str(value))


def _header(name: str) -> str:
    return name.replace("_", " ").upper()


def _style(cell: str) -> str:
    if cell == NOTHING:
        return "dim"
    return COLOURS.get({"yes": "ready", "no": "failed", "running": "ready"}.get(cell, cell), "")
