"""`plan`: show what `up` would do."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.config.load import Loaded
from kindctl.models import Absent, Differs, NotReady, State
from kindctl.planning.plan import make_plan
from kindctl.runner.survey import survey
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class PlanRow:
    """One row of `kindctl plan`. `state` is ready, absent, differs or not ready; `what` gives details."""

    state: str
    step: str
    what: str


def survey_plan(loaded: Loaded, tools: Tools) -> list[PlanRow]:
    """Return the state of every step, in the order of `up`, without changing anything."""
    return [_row(step.title, state) for step, state in survey(make_plan(loaded, tools).steps)]


def _row(title: str, state: State) -> PlanRow:
    match state:
        case Absent(what):
            return PlanRow("absent", title, what)
        case Differs(what):
            return PlanRow("differs", title, what)
        case NotReady(seen):
            return PlanRow("not ready", title, seen)
    return PlanRow("ready", title, state.note)
