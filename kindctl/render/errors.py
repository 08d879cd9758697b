"""Shows errors: what happened, why, the output of the tool that failed, what to do, and where to read
more."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any, TextIO

from kindctl.errors import ConfigError, Interrupted, KindctlError, ToolError
from kindctl.render.style import Paint, clean, signs_for, wrap

HINT = "hint: "
TAIL = 20
"""The number of lines that are shown from the end of a tool's output. The JSON form contains the whole
output."""


def show_error(error: KindctlError, *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Write an error to standard error as text for people, or to standard output as the last JSON line."""
    stream = stream or (sys.stdout if as_json else sys.stderr)
    if as_json:
        stream.write(json.dumps(error_as_json(error)) + "\n")
    else:
        stream.write(error_text(error, stream))
        if os.environ.get("GITHUB_ACTIONS") == "true" and isinstance(error, ConfigError):
            stream.write("".join(f"{line}\n" for line in _annotations(error)))
    stream.flush()


def error_text(error: KindctlError, stream: TextIO) -> str:
    """Return the text of an error for people, wrapped and coloured if `stream` is a terminal."""
    paint = Paint(stream)
    stopped = isinstance(error, Interrupted)
    head = "" if stopped else paint("error: ", "red", "bold")
    lines = [head + paint(clean(error.what), "bold"), *_why(error, stream), *_output(error, stream)]
    for note in getattr(error, "__notes__", ()):
        lines += [paint(line, "yellow") for line in wrap(note, stream)]
    if error.fix:
        first, *rest = wrap(error.fix, stream, before=HINT)
        lines += ["", paint(HINT, "cyan") + first[len(HINT) :]]
        lines += [" " * len(HINT) + line[len(HINT) :] for line in rest]
    if not stopped:
        lines += ["", paint(f"code: {error.code}", "dim"), paint(f"docs: {error.link}", "dim")]
    return "\n".join(lines) + "\n"


def error_as_json(error: KindctlError) -> dict[str, Any]:
    """Return the `error` line that docs/events.md describes, without empty fields."""
    line: dict[str, Any] = {
        "event": "error",
        "code": error.code,
        "exit_code": error.exit_code,
        "what": error.what,
    }
    said = {
        "why": error.why,
        "fix": error.fix,
        "command": error.command if isinstance(error, ToolError) else "",
        "output": error.output,
        "link": error.link,
        "notes": list(getattr(error, "__notes__", ())),
    }
    if isinstance(error, ConfigError):
        said["problems"] = [asdict(problem) for problem in error.problems]
    return line | {key: value for key, value in said.items() if value}


def _why(error: KindctlError, stream: TextIO) -> list[str]:
    if not isinstance(error, ConfigError):
        return wrap(error.why, stream, before="  ")
    paint = Paint(stream)
    lines = []
    for problem in error.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        hint = paint(f" ({clean(problem.hint)})", "dim") if problem.hint else ""
        lines.append(f"  {paint(place + ':', 'cyan')} {clean(problem.message)}{hint}")
    return lines


def _output(error: KindctlError, stream: TextIO) -> list[str]:
    """Return the command of the tool that failed and the end of its output, separated from kindctl's own
    text."""
    paint, signs = Paint(stream), signs_for(stream)
    said = clean(error.output).strip("\n").splitlines()
    lines = [f"{signs.more} {len(said) - TAIL} earlier lines"] if len(said) > TAIL else []
    lines += said[-TAIL:]
    if isinstance(error, ToolError) and error.command:
        lines.insert(0, f"$ {error.command}")
    if not lines:
        return []
    shown = wrap("\n".join(lines), stream, before=f"  {signs.rule} ", hard=True)
    return ["", *(paint(line, "dim") for line in shown)]


def _annotations(error: ConfigError) -> list[str]:
    """Return a workflow command for each problem: GitHub Actions shows the problem at its line in the
    diff."""
    from kindctl.render.github import annotation

    return [
        annotation(p.message, file=p.file, **({"line": p.line, "col": p.column} if p.line else {}))
        for p in error.problems
    ]
