"""The report at the end of `up`: which URLs answered, what changed, how long the steps took, and what to do
next."""

from __future__ import annotations

import math
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from kindctl.models import Report, StepReport, Turn
from kindctl.render.style import Paint, count, cut, duration, one_line, signs_for, width_of

MAX_BARS = 10
ALWAYS_NAMED = "switched "  # the hand-over between controllers is shown even among many changes
MAX_CHANGES = 8
MAX_TITLE = 34
TIME = 9
MIN_SHARE = 0.02  # of the whole run; shorter steps get no bar


def render_up(report: Report, stream: TextIO | None = None) -> None:
    """Write the result of `up` to `stream` (default: standard output)."""
    stream = stream or sys.stdout
    stream.write("\n".join(report_lines(report, stream)) + "\n")
    stream.flush()


def report_lines(report: Report, stream: TextIO) -> list[str]:
    """Return the lines of the report. The part that most people look for comes last, right above the
    prompt. The report of a run that changed nothing omits the changes and the times."""
    paint = Paint(stream)
    parts = [_changes(report, paint), _times(report, stream)] if report.changes else []
    parts += [_answered(report, paint), _kubectl(report, paint), _next(report, paint)]
    return [line for part in parts if part for line in ["", *part]]


def critical_path(steps: Sequence[StepReport]) -> list[str]:
    """Return the names of the steps that determined the length of the run, first to last.

    Each step comes after the step that it waited for last. If a step waited for its turn, that is the step
    that had the previous turn. Otherwise it is the needed step that became ready last, or reached its
    milestone last.
    """
    by_name = {step.name: step for step in steps}
    step = max(steps, key=lambda s: s.started + s.seconds, default=None)
    until = math.inf
    # A step may be met again, for what it did before it waited.
    visited: list[tuple[str, float]] = []
    while step and (step.name, until) not in visited:
        visited.append((step.name, until))
        ended = [w for w in step.waits if w.ended <= until and w.after in by_name]
        if ended:
            step, until = by_name[ended[-1].after], ended[-1].ended
        else:
            until = step.started
            step = by_name.get(step.after) or by_name.get(step.after.rpartition(":")[0])
    return list(dict.fromkeys(name for name, _ in visited))[::-1]


def _answered(report: Report, paint: Paint) -> list[str]:
    changes = count(len(report.changes), "change") if report.changes else "nothing to change"
    head = paint(f"{report.environment} is up", "bold", "green")
    width = max(map(len, report.urls), default=0)
    return [
        f"{head}: {changes}, {duration(report.seconds)}",
        *(f"  {paint(url.ljust(width), 'cyan', 'bold')}  answered" for url in report.urls),
    ]


def _changes(report: Report, paint: Paint) -> list[str]:
    """Return each change if there are few, as after a repair; otherwise the number of changes of each
    kind."""
    if len(report.changes) <= MAX_CHANGES:
        lines = [one_line(change) for change in report.changes]
    else:
        verbs = Counter(change.split(" ", 1)[0] for change in report.changes)
        lines = [one_line(c) for c in report.changes if c.startswith(ALWAYS_NAMED)]
        lines.append(", ".join(f"{one_line(verb)} {number}" for verb, number in verbs.items()))
    return [paint("Changed", "bold"), *(f"  {line}" for line in lines)]


def _times(report: Report, stream: TextIO) -> list[str]:
    """Return a timeline of the longer steps: one bar for each step, all on one scale."""
    signs, paint = signs_for(stream), Paint(stream)
    whole = max(report.seconds, 0.001)
    path = critical_path(report.steps)
    long = [step for step in report.steps if step.seconds >= MIN_SHARE * whole]
    long.sort(key=lambda step: (step.name in path, step.seconds - step.seconds_waited))
    shown = sorted(long[-MAX_BARS:], key=lambda step: step.started)
    title = min(max((len(step.title) for step in shown), default=0), MAX_TITLE)
    room = max(width_of(stream) - title - TIME - 6, 10)
    lines = []
    for step in shown:
        sign, style = (signs.bar, "cyan") if step.name in path else (signs.bar_off_path, "dim")
        bar = _bar(step, sign, signs.bar_waiting, room / whole, room)
        name = cut(step.title, title, signs.more).ljust(title)
        lines.append(f"  {name}{duration(step.seconds).rjust(TIME)}  {paint(bar, style)}")
        if step.seconds_waited >= MIN_SHARE * whole:
            waited = f"of which {duration(step.seconds_waited)} {Turn.WAITING}"
            lines.append(f"    {paint(waited, 'dim')}")
    legend = f"  {signs.bar} on the critical path  {signs.bar_off_path} off it"
    if any(step.waits for step in shown):
        legend += f"  {signs.bar_waiting} waiting"
    return [paint("Time", "bold") + paint(legend, "dim"), *lines]


def _bar(step: StepReport, work: str, waiting: str, scale: float, room: int) -> str:
    """Return the bar of a step, with the spaces before it. `scale` is in columns per second, `room` in
    columns; `work` and `waiting` are the characters that show working time and waiting time. Every bar
    shows at least one column of work."""

    def column(at: float) -> int:
        return min(round(at * scale), room)

    start = min(column(step.started), room - 1)
    end = max(column(step.started + step.seconds), start + 1)
    bar = [" "] * start + [work] * (end - start)
    for wait in step.waits:
        first, last = column(wait.started), column(wait.ended)
        bar[first:last] = [waiting] * (last - first)
    if work not in bar:
        bar[-1] = work
    return "".join(bar)


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
        (f"kindctl status {name}", "show what runs and whether it is ready"),
        (f"kindctl logs --name {name} --follow", "follow the logs of the pods"),
        (f"kindctl down {name}", "remove everything; images stay for the next up"),
    ]
    if report.urls:
        commands.insert(0, (f"kindctl open {name}", "open the first URL in the browser"))
    width = max(len(command) for command, _ in commands)
    lines = [f"  {command.ljust(width)}  {paint(what, 'dim')}" for command, what in commands]
    return [paint("Next", "bold"), *lines]
