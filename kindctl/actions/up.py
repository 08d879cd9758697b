"""`up`: look, make so what is not so, wait until it holds, and say what answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from kindctl.config.load import Loaded
from kindctl.diagnose.checks import intentions, mendable
from kindctl.errors import MachineError
from kindctl.events import Emit
from kindctl.models import Report
from kindctl.plan import Plan, make_plan
from kindctl.run import run
from kindctl.steps.located import urls_of
from kindctl.tools.lock import environment_lock
from kindctl.tools.protocols import Tools
from kindctl.trust.stores import trusted_by

Agree = Callable[[Sequence[str]], bool]
"""Shows what would be installed and which sources are added; True when the user agrees."""

LOCK_WAIT = 600.0


def up(
    loaded: Loaded,
    tools: Tools,
    *,
    emit: Emit,
    agree: Agree,
    stop: threading.Event,
    timeout: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Raises the first step's error; what exists by then stays, and another `up` goes on from there."""
    with environment_lock(loaded.config.name, wait=LOCK_WAIT, say=say):
        plan = make_plan(loaded, tools)
        for warning in plan.parts.warnings:
            say(f"warning: {warning}")
        ask_before_fixing(plan, agree)
        report = run(
            loaded.config.name,
            plan.steps,
            emit=emit,
            stop=stop,
            timeout=timeout,
            urls=lambda: urls_of(plan.provider.cluster(), plan.parts.routes),
            kubeconfig=str(plan.provider.kubeconfig),
        )
        if any(route.certified for route in plan.parts.routes) and not trusted_by(
            tools.host, Path.home()
        ):
            say("https: no program of this machine trusts its certificate yet: kindctl trust")
        return report


def ask_before_fixing(plan: Plan, agree: Agree) -> None:
    """Say what the fixes would do, before any is done. Warnings alone are no reason to ask: `up` works
    without their fixes.

    Raises MachineError when something is wrong that only a fix can mend and the user declines.
    """
    verdicts = plan.preflight.verdicts
    if not any(verdict.level == "failed" and mendable(verdict) for verdict in verdicts):
        return
    wishes = intentions(plan.preflight.tools, plan.preflight.wants, verdicts)
    if not agree(wishes):
        raise MachineError(
            "this machine lacks what kindctl needs",
            why="\n".join(wishes),
            fix="kindctl up --yes, or kindctl doctor --fix, does this",
            code="machine",
        )
    plan.preflight.may_fix = True
