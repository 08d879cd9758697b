"""`doctor`: ask the machine, and mend what can be mended."""

from __future__ import annotations

from collections.abc import Callable

from kindctl.actions.up import Agree
from kindctl.config.load import Loaded
from kindctl.diagnose.checks import examine, intentions, repair
from kindctl.models import Verdict
from kindctl.plan import wants
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
    asked = wants(loaded.config)
    verdicts = examine(tools, asked)
    wishes = intentions(tools, asked, verdicts) if fix else []
    if wishes and agree(wishes):
        for done in repair(tools, asked, verdicts, say):
            say(done)
        verdicts = examine(tools, asked)
    return list(verdicts)
