"""The screen for GitHub Actions: a fold for each step, annotations for failures, and a job summary.

Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from kindctl.models import Report, StepReport
from kindctl.render.board import Row
from kindctl.render.screen import Screen
from kindctl.render.style import UNICODE, clean, count, duration, one_line
from kindctl.runner.events import Event, RunEnded, RunStarted, StepEnded, StepSaid, StepStarted

SAY_INTERVAL = 1.0
"""The minimum number of seconds between two lines that one step says, so that the log of a long build stays
readable (twenty minutes, for example)."""


class GitHub(Screen):
    """The screen for GitHub Actions. It writes the fold (a `::group::`) of a step when the step ends,
    because steps run in parallel but folds cannot overlap."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._said: dict[str, list[tuple[float, str]]] = {}

    def show(self, event: Event) -> None:
        match event:
            case RunStarted(environment, steps):
                self._write(f"{environment}: {count(len(steps), 'step')}")
            case StepStarted(name):
                self._write(f"  {self._board.rows[name].title} {UNICODE.more}")
            case StepSaid(name, at, text):
                said = self._said.setdefault(name, [])
                if not said or at - said[-1][0] >= SAY_INTERVAL:
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
            self._write(f"::group::{head}", *map(_without_commands, body), "::endgroup::")
        else:
            self._write(head)
        if row.state == "failed":
            self._write(annotation(row.note, title=row.title))


def annotation(message: str, **properties: str | int) -> str:
    """Return an `::error` command. `properties` may be title, file, line and col."""
    listed = ",".join(f"{key}={_escape_property(str(value))}" for key, value in properties.items())
    return f"::error {listed}::{_escape(message)}" if listed else f"::error::{_escape(message)}"


def write_summary(report: Report) -> None:
    """Append the report to the job summary, if $GITHUB_STEP_SUMMARY names its file."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(summary(report))


def summary(report: Report) -> str:
    """Return the report as Markdown: URLs, a table of the steps, and what changed."""
    all_ready = all(step.outcome == "ready" for step in report.steps)
    sign, words = ("ready", "is up") if all_ready else ("failed", "is not up")
    lines = [f"### {UNICODE.of(sign)} {report.environment} {words}", ""]
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
    """Return the text, escaped for a cell of a Markdown table."""
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", "<br>")):
        text = text.replace(sign, escaped)
    return clean(text)


def _without_commands(line: str) -> str:
    """Return a line of a program's output, changed so that the GitHub runner does not interpret it as a
    workflow command (`::`, or the older `##[`)."""
    line = clean(line).replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def _escape(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
