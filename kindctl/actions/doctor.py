"""`doctor`: ask the machine, and mend what can be mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kindctl.actions.up import Agree
from kindctl.config.load import Loaded
from kindctl.diagnose.base import Wants
from kindctl.diagnose.checks import examine, planned_repairs, repair
from kindctl.errors import ConfigError
from kindctl.models import Verdict
from kindctl.planning.parts import parts_of, wants
from kindctl.tools.protocols import Tools


def doctor(
    loaded: Loaded,
    tools: Tools,
    *,
    fix: bool = False,
    agree: Agree = lambda _: True,
    say: Callable[[str], None] = lambda _: None,
) -> list[Verdict]:
    """The verdicts; after the fixes, where these were asked for and agreed to."""
    asked = _wants(loaded, tools)
    verdicts = examine(tools, asked)
    wishes = planned_repairs(tools, asked, verdicts) if fix else []
    if wishes and agree(wishes):
        for done in repair(tools, asked, verdicts, say):
            say(done)
        verdicts = examine(tools, asked)
    return list(verdicts)


def _wants(loaded: Loaded, tools: Tools) -> Wants:
    """Manifests that cannot be read, perhaps for want of what is mended here, are no reason to refuse."""
    try:
        return wants(loaded, parts_of(loaded, tools))
    except ConfigError:
        without = replace(loaded, config=loaded.config.model_copy(update={"apps": ()}))
        return wants(without, parts_of(without, tools))
