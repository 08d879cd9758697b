"""What every registered check and cause must bring. Each rule is seen to fail on one that lacks it all."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from kindctl.diagnose import causes, checks
from kindctl.diagnose.base import Check
from kindctl.diagnose.causes import CAUSES
from kindctl.diagnose.checks import CHECKS
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    error_page_faults,
    protocol_faults,
    summary_faults,
    unit_test_faults,
)

Rules = dict[str, Callable[[str], Iterator[str]]]

# --- checks --------------------------------------------------------------------------------------


def check_has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, CHECKS[name], "CHECKS (kindctl/diagnose/checks/__init__.py)")


def check_fulfils_its_protocol(name: str) -> Iterator[str]:
    where = f"CHECK in kindctl/diagnose/checks/{name}.py"
    check = checks.load(name)
    yield from protocol_faults(name, check, Check, where)
    if getattr(check, "code", "") != name or not getattr(check, "title", ""):
        yield f"{name}: {where} needs the code {name!r} and a title"


def check_has_an_error_page(name: str) -> Iterator[str]:
    yield from error_page_faults(name, name)


def check_has_a_unit_test(name: str) -> Iterator[str]:
    yield from unit_test_faults(name, name, "diagnose")


CHECK_BRINGS: Rules = {
    rule.__name__: rule
    for rule in (
        check_has_a_summary,
        check_fulfils_its_protocol,
        check_has_an_error_page,
        check_has_a_unit_test,
    )
}


@pytest.mark.parametrize("rule", CHECK_BRINGS)
def test_a_check(rule: str) -> None:
    assert_nothing_is_missing(line for name in CHECKS for line in CHECK_BRINGS[rule](name))


# --- causes --------------------------------------------------------------------------------------


def code_of(name: str) -> str:
    return name.replace("_", "-")


def cause_has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, CAUSES[name], "CAUSES (kindctl/diagnose/causes/__init__.py)")


def cause_has_its_own_code(name: str) -> Iterator[str]:
    module = inspect.getsource(inspect.getmodule(causes.load(name)) or causes)
    if f'code="{code_of(name)}"' not in module:
        yield f"{name}: kindctl/diagnose/causes/{name}.py has to give a Cause of code {code_of(name)!r}"


def cause_needs_evidence(name: str) -> Iterator[str]:
    if causes.load(name)(Evidence()) is not None:
        yield f"{name}: explain() in kindctl/diagnose/causes/{name}.py finds it where nothing is wrong"


def cause_has_an_error_page(name: str) -> Iterator[str]:
    yield from error_page_faults(name, code_of(name))


def cause_has_a_unit_test(name: str) -> Iterator[str]:
    yield from unit_test_faults(name, code_of(name), "diagnose")


CAUSE_BRINGS: Rules = {
    rule.__name__: rule
    for rule in (
        cause_has_a_summary,
        cause_has_its_own_code,
        cause_needs_evidence,
        cause_has_an_error_page,
        cause_has_a_unit_test,
    )
}


@pytest.mark.parametrize("rule", CAUSE_BRINGS)
def test_a_cause(rule: str) -> None:
    assert_nothing_is_missing(line for name in CAUSES for line in CAUSE_BRINGS[rule](name))


# --- the rules themselves ------------------------------------------------------------------------


class Copycat:
    """A check that asks nothing."""


def explain(evidence: Evidence) -> Cause:
    """A cause of everything."""
    return Cause("everything", "", "")


@pytest.mark.parametrize("rule", CHECK_BRINGS)
def test_a_check_that_brings_nothing_is_told_what(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("kindctl.diagnose.checks.copycat")
    vars(module)["CHECK"] = Copycat()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(CHECKS, "copycat", "")
    complaints = list(CHECK_BRINGS[rule]("copycat"))
    assert complaints
    assert all(line.startswith("copycat: ") and "/" in line for line in complaints)


@pytest.mark.parametrize("rule", CAUSE_BRINGS)
def test_a_cause_that_brings_nothing_is_told_what(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("kindctl.diagnose.causes.copycat")
    vars(module)["explain"] = explain
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(CAUSES, "copycat", "")
    complaints = list(CAUSE_BRINGS[rule]("copycat"))
    assert complaints
    assert all(line.startswith("copycat: ") and "/" in line for line in complaints)
