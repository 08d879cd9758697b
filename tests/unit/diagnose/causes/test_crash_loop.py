"""Tests of diagnose/causes/crash_loop.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object
from tests.support.evidence import after, cause, looping, pod, terminated

LOG = {"example/backend-5d8f7c-x2x4k/c": ["starting", "fatal: no such table"]}


def test_a_crash_loop_cites_its_last_lines_and_exit_code() -> None:
    found = cause(Evidence(pods=[looping()], logs=LOG))
    assert (found.code, found.permanent, found.since) == ("crash-loop", True, after(22))
    assert "exit code 3, restarts: 4" in found.what
    assert found.cites[-1] == "fatal: no such table"


def test_a_variable_of_a_service_that_was_taken_for_a_setting_is_pointed_out() -> None:
    (where,) = LOG
    said = "ValueError: invalid literal for int() with base 10: 'tcp://10.96.253.188:5432'"
    found = cause(Evidence(pods=[looping()], logs={where: [said]}))
    assert "enableServiceLinks: false" in found.fix
    assert "enableServiceLinks" not in cause(Evidence(pods=[looping()], logs=LOG)).fix


def test_a_program_that_ends_until_its_database_is_up_is_not_given_up() -> None:
    database = pod("postgres-0")
    found = cause(Evidence(pods=[looping(), database], logs=LOG))
    assert (found.code, found.permanent) == ("crash-loop", False)


def test_a_run_that_began_before_the_database_was_ready_proves_nothing() -> None:
    database = pod("postgres-0", ready=True, ready_since=18)
    early, late = terminated(1, began=20, ended=22), terminated(1, began=24, ended=26)
    assert not cause(Evidence(pods=[looping(ended=early), database])).permanent
    assert cause(Evidence(pods=[looping(ended=late), database])).permanent


def test_few_restarts_prove_nothing() -> None:
    assert not cause(Evidence(pods=[looping(restarts=2)])).permanent


def test_a_minute_of_restarts_is_enough_whatever_else_is_up() -> None:
    found = cause(Evidence(pods=[looping(ended=terminated(1, ended=61)), pod("postgres-0")]))
    assert found.permanent


@pytest.mark.parametrize(
    "ended",
    [
        terminated(127),
        terminated(126),
        terminated(
            128,
            reason="StartError",
            message='runc create failed: exec: "nosuch": executable file not found in $PATH',
        ),
    ],
)
def test_a_program_that_cannot_run_is_permanent_at_its_first_restart(ended: Object) -> None:
    found = cause(Evidence(pods=[looping(ended=ended, restarts=1), pod("postgres-0")]))
    assert (found.code, found.permanent) == ("crash-loop", True)
    assert "command" in found.fix


def test_a_container_that_ends_well_should_not_end() -> None:
    found = cause(Evidence(pods=[looping(ended=terminated(0, reason="Completed"))]))
    assert "must keep running" in found.fix
