"""`up`: look, make so what is not so, wait until it holds, and say what answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from kindctl.actions.elsewhere import refuse_a_move
from kindctl.config.load import Loaded
from kindctl.diagnose.checks import is_repairable, planned_repairs
from kindctl.errors import MachineError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.models import Report
from kindctl.planning.plan import Plan, make_plan
from kindctl.providers.base import Provider, Stranger
from kindctl.runner.events import Emit
from kindctl.runner.run import run
from kindctl.tools.lock import environment_lock
from kindctl.tools.protocols import Tools
from kindctl.trust.stores import trusted_by

Agree = Callable[[Sequence[str]], bool]
"""Shows what would be installed and which sources are added; True when the user agrees."""

Confirm = Callable[[Stranger], bool]
"""Asks the user whether a cluster that kindctl did not make may be used; True when the user agrees."""

LOCK_WAIT = 600.0


def unconfirmed(stranger: Stranger) -> bool:
    """Nobody is there to be asked."""
    return False


def up(
    loaded: Loaded,
    tools: Tools,
    *,
    emit: Emit,
    agree: Agree,
    stop: threading.Event,
    timeout: float | None = None,
    say: Callable[[str], None] = lambda _: None,
    confirm: Confirm = unconfirmed,
) -> Report:
    """Raises the first step's error; what exists by then stays, and another `up` goes on from there."""
    with environment_lock(loaded.config.name, wait=LOCK_WAIT, say=say):
        plan = make_plan(loaded, tools)
        ask_before_use(plan.provider, confirm)
        refuse_a_move(plan.provider, loaded.config.name, tools)
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
            kubeconfig="" if plan.provider.preexisting else str(plan.provider.kubeconfig),
        )
        if any(route.certified for route in plan.parts.routes) and not trusted_by(
            tools.host, Path.home()
        ):
            say("https: no program of this machine trusts its certificate yet: kindctl trust")
        return report


def ask_before_use(provider: Provider, confirm: Confirm) -> None:
    """Raises UsageError where the environment is new to a cluster of others and nobody agrees."""
    stranger = provider.stranger()
    if stranger is None or confirm(stranger):
        return
    raise UsageError(
        f"kindctl has not been in the cluster of context {stranger.context} yet, and nobody agreed",
        why=f"its API server is {stranger.server}",
        fix="run `kindctl up` at a terminal and type the context's name; or, for scripts, put\n"
        f"  cluster: {{provider: {{existing: {stranger.context}, server: '{stranger.server}'}}}}\n"
        "into kindctl.yaml and run `kindctl up --yes`",
        code="context-unconfirmed",
    )


def ask_before_fixing(plan: Plan, agree: Agree) -> None:
    """Say what the fixes would do, before any is done. Warnings alone are no reason to ask: `up` works
    without their fixes.

    Raises MachineError when something is wrong that only a fix can mend and the user declines.
    """
    verdicts = plan.preflight.verdicts
    if not any(verdict.level == "failed" and is_repairable(verdict) for verdict in verdicts):
        return
    wishes = planned_repairs(plan.preflight.tools, plan.preflight.wants, verdicts)
    if not agree(wishes):
        raise MachineError(
            "this machine lacks what kindctl needs",
            why="\n".join(wishes),
            fix="kindctl up --yes, or kindctl doctor --fix, does this",
            code="machine",
        )
    plan.preflight.may_fix = True
