"""`plan`: what `up` would do."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.config.load import Loaded
from kindctl.models import Absent, Differs, NotReady, State
from kindctl.planning.plan import make_plan
from kindctl.runner.survey import survey
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class PlanRow:
    """`state`: ready, absent, differs or not ready; `what` says more."""

    state: str
    step: str
    what: str


def survey_plan(loaded: Loaded, tools: Tools) -> list[PlanRow]:
    """Every step in the order of `up`. Nothing is changed."""
    plan = make_plan(loaded, tools)
    return [PlanRow(*_words(state, step.title)) for step, state in survey(plan.steps)]


def _words(state: State, title: str) -> tuple[str, str, str]:
    match state:
        case Absent(what):
            return "absent", title, what
        case Differs(what):
            return "differs", title, what
        case NotReady(seen):
            return "not ready", title, seen
    return "ready", title, state.note
