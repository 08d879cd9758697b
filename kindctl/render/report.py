"""The last words of `up`: what answered, what changed, where the time went, how to go on."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from kindctl.models import Report, StepReport
from kindctl.render.style import Paint, count, cut, duration, one_line, signs_for, width_of

MOST_PHASES = 10
TOLD_IN_FULL = "switched "  # from one controller to another, and what that cost
MOST_CHANGES = 8
TITLE = 34
TIME = 9
SHORT = 0.02  # share of the whole below which a phase is not worth a line


def render_up(report: Report, stream: TextIO | None = None) -> None:
    """The result of `up`, to standard output."""
    stream = stream or sys.stdout
    stream.write("\n".join(report_lines(report, stream)) + "\n")
    stream.flush()


def report_lines(report: Report, stream: TextIO) -> list[str]:
    """What most will look for stands last, above the prompt. Without changes there is nothing else."""
    paint = Paint(stream)
    parts = [_changes(report, paint), _times(report, stream)] if report.changes else []
    parts += [_answered(report, paint), _kubectl(report, paint), _next(report, paint)]
    return [line for part in parts if part for line in ["", *part]]


def critical_path(steps: Sequence[StepReport]) -> list[str]:
    """Names of the steps that the whole waited for, first to last: each let the next one start."""
    by_name = {step.name: step for step in steps}
    step = max(steps, key=lambda s: s.started + s.seconds, default=None)
    path: list[str] = []
    while step and step.name not in path:
        path.append(step.name)
        step = by_name.get(step.after) or by_name.get(step.after.rpartition(":")[0])
    return path[::-1]


def _answered(report: Report, paint: Paint) -> list[str]:
    changes = count(len(report.changes), "change") if report.changes else "nothing to change"
    head = paint(f"{report.environment} is up", "bold", "green")
    width = max(map(len, report.urls), default=0)
    return [
        f"{head}: {changes}, {duration(report.seconds)}",
        *(f"  {paint(url.ljust(width), 'cyan', 'bold')}  answered" for url in report.urls),
    ]


def _changes(report: Report, paint: Paint) -> list[str]:
    """Each change where they are few, as in a repair; else how many of which sort."""
    if len(report.changes) <= MOST_CHANGES:
        lines = [one_line(change) for change in report.changes]
    else:
        verbs = Counter(change.split(" ", 1)[0] for change in report.changes)
        lines = [one_line(c) for c in report.changes if c.startswith(TOLD_IN_FULL)]
        lines.append(", ".join(f"{one_line(verb)} {number}" for verb, number in verbs.items()))
    return [paint("Changed", "bold"), *(f"  {line}" for line in lines)]


def _times(report: Report, stream: TextIO) -> list[str]:
    """When each of the longer phases ran: one bar a line, all on one scale."""
    signs, paint = signs_for(stream), Paint(stream)
    whole = max(report.seconds, 0.001)
    path = critical_path(report.steps)
    long = [step for step in report.steps if step.seconds >= SHORT * whole]
    shown = sorted(long, key=lambda step: (step.name in path, step.seconds))[-MOST_PHASES:]
    title = _title_width(shown)
    room = max(width_of(stream) - title - TIME - 6, 10)
    lines = []
    for step in sorted(shown, key=lambda step: step.started):
        critical = step.name in path
        start = min(int(step.started / whole * room), room - 1)
        end = max(round((step.started + step.seconds) / whole * room), start + 1)
        bar = (signs.bar if critical else signs.bar_beside) * (end - start)
        name, time = _fit(step.title, title, signs.more), duration(step.seconds).rjust(TIME)
        styles = ("cyan",) if critical else ("dim",)
        lines.append(f"  {name}{time}  {' ' * start}{paint(bar, *styles)}")
    legend = f"  {signs.bar} on the critical path  {signs.bar_beside} beside it"
    return [paint("Time", "bold") + paint(legend, "dim"), *lines]


def _kubectl(report: Report, paint: Paint) -> list[str]:
    if not report.kubeconfig:
        return []
    return [
        paint("kubectl", "bold"),
        f"  export KUBECONFIG={shlex.quote(report.kubeconfig)}",
        "  kubectl get pods --all-namespaces",
    ]


def _next(report: Report, paint: Paint) -> list[str]:
    name = report.environment
    commands = [
        (f"kindctl status {name}", "what runs, and whether it is ready"),
        (f"kindctl logs --name {name} --follow", "what the pods say"),
        (f"kindctl down {name}", "remove it all; images stay for the next up"),
    ]
    if report.urls:
        commands.insert(0, (f"kindctl open {name}", "the first URL, in the browser"))
    width = max(len(command) for command, _ in commands)
    lines = [f"  {command.ljust(width)}  {paint(what, 'dim')}" for command, what in commands]
    return [paint("Next", "bold"), *lines]


def _title_width(steps: Sequence[StepReport]) -> int:
    return min(max((len(step.title) for step in steps), default=0), TITLE)


def _fit(text: str, width: int, more: str) -> str:
    return cut(text, width, more).ljust(width)
