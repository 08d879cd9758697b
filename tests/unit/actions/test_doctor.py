"""Tests of actions/doctor.py."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.actions.doctor import doctor
from kindctl.diagnose.checks.inotify import LIMITS
from kindctl.models import (
    Verdict,
)
from tests.support.machine import World, loaded, never


def level(verdicts: Sequence[Verdict], code: str) -> str:
    (found,) = (verdict.level for verdict in verdicts if verdict.code.startswith(code))
    return found


def test_doctor_changes_nothing_unless_asked(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    before = dict(world.host.sysctls)
    assert level(doctor(loaded(), world.tools, agree=never), "inotify") != "ok"
    assert world.host.sysctls == before


def test_doctor_mends_what_was_agreed_to_and_says_it(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    said: list[str] = []
    verdicts = doctor(loaded(), world.tools, fix=True, agree=lambda _: True, say=said.append)
    assert level(verdicts, "inotify") == "ok"
    assert any("inotify" in line for line in said)


def test_doctor_leaves_what_was_declined(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    before = dict(world.host.sysctls)
    verdicts = doctor(loaded(), world.tools, fix=True, agree=lambda _: False)
    assert level(verdicts, "inotify") != "ok"
    assert world.host.sysctls == before


def test_doctor_asks_nothing_where_nothing_is_wrong(world: World) -> None:
    assert {v.level for v in doctor(loaded(), world.tools, fix=True, agree=never)} == {"ok"}
