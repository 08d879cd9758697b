"""GitHub Actions: a fold for each step, annotations for failures, and the summary of the job.

Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from kindctl.models import Report, StepReport
from kindctl.render.board import Board, Row
from kindctl.render.style import UNICODE, clean, count, duration, one_line
from kindctl.runner.events import Event, RunEnded, RunStarted, StepEnded, StepSaid, StepStarted

QUIET = 1.0
"""Seconds between two lines of what one step says: a build of twenty minutes stays readable."""


class GitHub:
    """Steps run side by side and folds cannot: a step's fold is written whole when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._board = Board()
        self._said: dict[str, list[tuple[float, str]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return

    def __call__(self, event: Event) -> None:
        self._board.take(event)
        match event:
            case RunStarted(environment, steps):
                self._write(f"{environment}: {count(len(steps), 'step')}")
            case StepStarted(name):
                self._write(f"  {self._board.rows[name].title} {UNICODE.more}")
            case StepSaid(name, at, text):
                said = self._said.setdefault(name, [])
                if not said or at - said[-1][0] >= QUIET:
                    said.append((at, one_line(text)))
            case StepEnded(name, _, outcome) if outcome != "skipped":
                self._fold(self._board.rows[name])
            case RunEnded(report):
                write_summary(report)

    def _fold(self, row: Row) -> None:
        head = f"{UNICODE.of(row.state)} {row.title} ({duration(row.seconds)})"
        body = [f"{at:7.1f}  {text}" for at, text in self._said.get(row.name, ())]
        body += row.changes
        if row.state == "ready" and row.note:
            body.append(row.note)
        if body:
            self._write(f"::group::{head}", *map(_inert, body), "::endgroup::")
        else:
            self._write(head)
        if row.state == "failed":
            self._write(annotation(row.note, title=row.title))

    def _write(self, *lines: str) -> None:
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()


def annotation(message: str, **properties: str | int) -> str:
    """An `::error` command. Properties: title, file, line, col."""
    listed = ",".join(f"{key}={_escape_property(str(it))}" for key, it in properties.items())
    return f"::error {listed}::{_escape(message)}" if listed else f"::error::{_escape(message)}"


def write_summary(report: Report) -> None:
    """Append to the summary of the job, where the runner gives a file for it."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(summary(report))


def summary(report: Report) -> str:
    """Markdown: URLs, a table of the steps, and what changed."""
    whole = all(step.outcome == "ready" for step in report.steps)
    words = "is up" if whole else "is not up"
    lines = [f"### {UNICODE.of('ready' if whole else 'failed')} {report.environment} {words}", ""]
    for url, space, host in (url.partition(" ") for url in report.urls):
        lines.append(f"- <{url}>{space}{host}")
    lines += ["", "| | step | time | changes |", "|---|---|--:|--:|"]
    lines += [_row(step) for step in report.steps if step.outcome != "skipped"]
    skipped = sum(step.outcome == "skipped" for step in report.steps)
    lines += ["", f"{count(len(report.steps), 'step')} in {duration(report.seconds)}"]
    if skipped:
        lines[-1] += f", {skipped} not started"
    if report.changes:
        lines += ["", f"<details><summary>{count(len(report.changes), 'change')}</summary>", ""]
        lines += [f"- {_cell(change)}" for change in report.changes]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n\n"


def _row(step: StepReport) -> str:
    title = f"**{_cell(step.title)}**" if step.outcome == "failed" else _cell(step.title)
    if step.outcome in ("failed", "cancelled") and step.note:
        title += f"<br>{_cell(step.note)}"
    changes = str(len(step.changes)) if step.changes else ""
    return f"| {UNICODE.of(step.outcome)} | {title} | {duration(step.seconds)} | {changes} |"


def _cell(text: str) -> str:
    """Text that stays text inside a Markdown table."""
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", "<br>")):
        text = text.replace(sign, escaped)
    return clean(text)


def _inert(line: str) -> str:
    """A program's line that the runner does not take for a command (`::`, and the older `##[`)."""
    line = clean(line).replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def _escape(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
