"""Collects the state of each step from the events of a run. The screens show these states."""

from __future__ import annotations

from dataclasses import dataclass, field

from kindctl.models import Report
from kindctl.render.style import count, one_line
from kindctl.runner import events


@dataclass
class Row:
    """What a screen shows of one step. `state` is "pending", "running" or the outcome of the step. Each
    text is a single line."""

    name: str
    title: str
    needs: tuple[str, ...]
    state: str = "pending"
    started: float = 0.0
    seconds: float = 0.0
    said: str = ""
    reached: set[str] = field(default_factory=set)
    changes: tuple[str, ...] = ()
    note: str = ""

    @property
    def ended(self) -> bool:
        return self.state not in ("pending", "running")

    @property
    def changed(self) -> str:
        """The step's change if it made only one, the number of changes if it made several, or an empty
        string if it made none."""
        if len(self.changes) == 1:
            return self.changes[0]
        return count(len(self.changes), "change") if self.changes else ""


class Board:
    """The rows of all steps by name, in display order. `now` is the time of the last event."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.now = 0.0
        self.report: Report | None = None

    def take(self, event: events.Event) -> None:
        """Update the rows with the next event."""
        match event:
            case events.RunStarted(_, steps):
                self.rows = {name: Row(name, title, needs) for name, title, needs in steps}
                return
            case events.StepStarted(name, at):
                row = self.rows[name]
                row.state, row.started = "running", at
            case events.StepSaid(name, _, text):
                self.rows[name].said = one_line(text)
            case events.StepReached(name, _, milestone):
                self.rows[name].reached.add(milestone)
            case events.StepEnded(name, _, outcome, seconds, changes, note):
                row = self.rows[name]
                row.state, row.seconds = outcome, seconds
                row.changes, row.note = tuple(map(one_line, changes)), one_line(note)
            case events.RunEnded(report):
                self.report = report
        self.now = event.at

    def unmet(self, row: Row) -> list[Row]:
        """Return the steps that `row` still waits for."""
        rows = []
        for need in row.needs:
            whole = need in self.rows  # a step's name may contain colons
            name, milestone = (need, "") if whole else need.rpartition(":")[::2]
            other = self.rows[name]
            if other.state != "ready" and milestone not in other.reached:
                rows.append(other)
        return rows
