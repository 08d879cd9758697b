"""`doctor`: check the machine, and fix what can be fixed."""

from __future__ import annotations

from dataclasses import replace

from kindctl.actions.up import Agree
from kindctl.config.load import Loaded
from kindctl.diagnose.base import Wants
from kindctl.diagnose.checks import examine, planned_repairs, repair
from kindctl.errors import ConfigError
from kindctl.models import Say, Verdict
from kindctl.planning.parts import parts_of, wants
from kindctl.tools.protocols import Tools


def doctor(
    loaded: Loaded,
    tools: Tools,
    *,
    fix: bool = False,
    agree: Agree = lambda _: True,
    say: Say = lambda _: None,
) -> list[Verdict]:
    """Return the verdicts of all checks. With `fix`, and if the user agrees, the machine is fixed first."""
    asked = _wants(loaded, tools)
    verdicts = examine(tools, asked)
    fixes = planned_repairs(tools, asked, verdicts) if fix else []
    if fixes and agree(fixes):
        for done in repair(tools, asked, verdicts, say):
            say(done)
        verdicts = examine(tools, asked)
    return list(verdicts)


def _wants(loaded: Loaded, tools: Tools) -> Wants:
    """Return what the checks must look for. If the manifests cannot be read, perhaps because of a problem
    that a check will report, the apps are left out and no ConfigError is raised."""
    try:
        return wants(loaded, parts_of(loaded, tools))
    except ConfigError:
        without = replace(loaded, config=loaded.config.model_copy(update={"apps": ()}))
        return wants(without, parts_of(without, tools))
