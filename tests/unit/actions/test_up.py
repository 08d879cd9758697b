"""Tests of actions/up.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kindctl.actions.plan import survey_plan
from kindctl.actions.up import ask_before_fixing
from kindctl.diagnose.checks.inotify import LIMITS
from kindctl.errors import MachineError
from kindctl.planning.plan import make_plan
from tests.support.machine import World, loaded, never


def test_up_makes_what_plan_said_and_then_plan_finds_nothing(world: World) -> None:
    config = loaded()
    before = {row.step: row.state for row in survey_plan(config, world.tools)}
    assert before["create the cluster (kind)"] == "absent"
    world.up(config)
    assert {row.state for row in survey_plan(config, world.tools)} == {"ready"}


def test_a_fit_machine_is_no_reason_to_ask(world: World) -> None:
    plan = make_plan(loaded(), world.tools)
    ask_before_fixing(plan, never)
    assert not plan.preflight.may_fix


def test_a_warning_is_no_reason_to_ask(world: World) -> None:
    world.host.sysctls |= {name: str(value - 1) for name, (_, value) in LIMITS.items()}
    plan = make_plan(loaded(), world.tools)
    assert {v.level for v in plan.preflight.verdicts} == {"ok", "warning"}
    ask_before_fixing(plan, never)
    assert not plan.preflight.may_fix


@pytest.mark.parametrize("agrees", [True, False])
def test_what_failed_is_mended_only_when_the_user_agrees(world: World, agrees: bool) -> None:
    del world.host.programs["kind"]
    world.kind.installed = False
    plan = make_plan(loaded(), world.tools)
    asked: list[Sequence[str]] = []

    def agree(wishes: Sequence[str]) -> bool:
        asked.append(wishes)
        return agrees

    if agrees:
        ask_before_fixing(plan, agree)
        assert plan.preflight.may_fix
    else:
        with pytest.raises(MachineError) as refused:
            ask_before_fixing(plan, agree)
        assert "kindctl up --yes" in refused.value.fix
        assert not plan.preflight.may_fix
        assert "kind" not in world.host.programs
    assert any("kind" in wish for wish in asked[0])
