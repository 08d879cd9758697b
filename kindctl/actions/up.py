"""`up`: apply whatever differs, wait until everything is ready, and report the URLs that answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from kindctl.actions.elsewhere import refuse_a_move
from kindctl.config.load import Loaded
from kindctl.diagnose.checks import is_repairable, planned_repairs
from kindctl.errors import MachineError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.models import Report, Say
from kindctl.planning.plan import Plan, make_plan
from kindctl.providers.base import ForeignCluster, Provider
from kindctl.runner.events import Emit
from kindctl.runner.run import run
from kindctl.tools.lock import environment_lock
from kindctl.tools.protocols import Tools
from kindctl.trust.stores import trusted_by

Agree = Callable[[Sequence[str]], bool]
"""Shows what would be installed or changed, and returns whether the user agrees."""

Confirm = Callable[[ForeignCluster], bool]
"""Asks whether kindctl may use a cluster that it did not create, and returns whether the user agrees."""

LOCK_WAIT = 600.0


def up(
    loaded: Loaded,
    tools: Tools,
    *,
    emit: Emit,
    agree: Agree,
    stop: threading.Event,
    timeout: float | None = None,
    say: Say = lambda _: None,
    confirm: Confirm = lambda _: False,
) -> Report:
    """Run every step and return the report. Raises the error of the first step that fails. What was
    created until then stays, and the next `up` continues from there."""
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
            say("https: no program on this machine trusts the certificate yet; run `kindctl trust`")
        return report


def ask_before_use(provider: Provider, confirm: Confirm) -> None:
    """Ask before the environment is first put into a cluster that kindctl did not create. Raises UsageError
    if the user does not agree."""
    foreign = provider.foreign_cluster()
    if foreign is None or confirm(foreign):
        return
    raise UsageError(
        f"the first use of the cluster of context {foreign.context} was not confirmed",
        why=f"its API server is {foreign.server}",
        fix="run `kindctl up` in a terminal and type the context's name; or, for scripts, add\n"
        f"  cluster: {{provider: {{existing: {foreign.context}, server: '{foreign.server}'}}}}\n"
        "to kindctl.yaml and run `kindctl up --yes`",
        code="context-unconfirmed",
    )


def ask_before_fixing(plan: Plan, agree: Agree) -> None:
    """Ask the user before anything on this machine is fixed. Warnings alone cause no question, because
    `up` works without these fixes.

    Raises MachineError if a failed check can be fixed and the user declines.
    """
    verdicts = plan.preflight.verdicts
    if not any(verdict.level == "failed" and is_repairable(verdict) for verdict in verdicts):
        return
    fixes = planned_repairs(plan.preflight.tools, plan.preflight.wants, verdicts)
    if not agree(fixes):
        raise MachineError(
            "this machine lacks what kindctl needs",
            why="\n".join(fixes),
            fix="run `kindctl up --yes` or `kindctl doctor --fix` to make these changes",
            code="machine",
        )
    plan.preflight.may_fix = True
