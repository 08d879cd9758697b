"""What every registered add-on must bring and apply.

Each rule is seen to fail: on a renamed copy of metrics-server that brings nothing but its folder and its
entry in ADDONS, or on metrics-server's objects with the thing in question taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import pytest

from kindctl.components import ADDONS
from kindctl.components.base import Addon
from kindctl.schema import Config
from tests.support.component_rules import (
    NOT_A_CLASS,
    RULES_OF_EVERY_COMPONENT,
    left_out_of_any_component,
    making_faults,
    renamed_copy,
)
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    e2e_faults,
    examples_with,
    pin_faults,
    recipe_faults,
    schema_faults,
    summary_faults,
    ways_in_with,
)
from tests.support.situations import Applied, applied_addon

REGISTRY = "ADDONS (kindctl/components/__init__.py)"


@cache
def applied_once(name: str) -> Applied:
    return applied_addon(name)


# --- what it must bring --------------------------------------------------------------------------


def can_be_made(name: str) -> Iterator[str]:
    yield from making_faults(name, ADDONS[name][0], Addon, REGISTRY, lambda: applied_once(name))


def has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, ADDONS[name][1], REGISTRY)


def has_its_name_in_the_schema(name: str) -> Iterator[str]:
    yield from schema_faults(name, Config, "addons")


def has_its_images_pinned(name: str) -> Iterator[str]:
    yield from pin_faults(name, applied_once(name).images)


def has_a_recipe_for_each_image(name: str) -> Iterator[str]:
    yield from recipe_faults(name, applied_once(name).images)


def has_an_example_that_is_brought_up_end_to_end(name: str) -> Iterator[str]:
    found = examples_with(lambda config: name in config.addons)
    yield from e2e_faults(name, found, f"addons: [{name}]")


def is_mentioned_on_a_page(name: str) -> Iterator[str]:
    if not ways_in_with(name):
        yield f"{name}: say on a page in docs/ways-in what it is for"


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    can_be_made,
    has_a_summary,
    has_its_name_in_the_schema,
    has_its_images_pinned,
    has_a_recipe_for_each_image,
    has_an_example_that_is_brought_up_end_to_end,
    is_mentioned_on_a_page,
)


def addons_for(rule: str) -> Iterator[str]:
    """Names of the add-ons that a rule asks: those that can be made; `can_be_made` asks all of them."""
    for name in ADDONS:
        if rule == can_be_made.__name__ or not list(can_be_made(name)):
            yield name


@pytest.mark.parametrize("rule", BRINGS)
def test_an_addon(rule: str) -> None:
    assert_nothing_is_missing(line for name in addons_for(rule) for line in BRINGS[rule](name))


# --- what it must apply --------------------------------------------------------------------------


def is_named_as_in_the_file(a: Applied) -> Iterator[str]:
    """The value of kindctl.dev/component, and the name in `addons`, are one."""
    if a.component.name != a.name:
        yield f"its component is named {a.component.name!r}: give it the name {a.name!r}"


APPLIES = {rule.__name__: rule for rule in (*RULES_OF_EVERY_COMPONENT, is_named_as_in_the_file)}


@pytest.mark.parametrize("rule", APPLIES)
def test_an_addon_applies(rule: str) -> None:
    assert_nothing_is_missing(
        f"{name}: {line}" for name in addons_for(rule) for line in APPLIES[rule](applied_once(name))
    )


# --- the rules themselves ------------------------------------------------------------------------


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A renamed copy of metrics-server's folder, with an entry in ADDONS and nothing else."""
    with renamed_copy(ADDONS["metrics-server"][0], tmp_path, monkeypatch) as place:
        monkeypatch.setitem(ADDONS, "copycat", (place, ""))
        yield "copycat"


@pytest.mark.parametrize("rule", [rule for rule in BRINGS if rule != "can_be_made"])
def test_a_copy_of_metrics_server_is_told_what_it_does_not_bring(stranger: str, rule: str) -> None:
    complaints = list(BRINGS[rule](stranger))
    assert complaints
    assert all(line.startswith("copycat: ") and "/" in line for line in complaints)


@pytest.mark.parametrize("place", NOT_A_CLASS)
def test_a_class_that_is_not_there_is_complained_of_once(
    stranger: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setitem(ADDONS, stranger, (place, ""))
    (line,) = can_be_made(stranger)
    assert line.startswith(f"copycat: {REGISTRY} says {place!r}")
    assert stranger in addons_for("can_be_made")
    assert stranger not in addons_for("has_a_summary")


@pytest.mark.parametrize("missing", ["name", "namespace", "package", "files", "container_images"])
def test_a_copy_that_declares_too_little_is_told_so_in_one_line(
    stranger: str, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delattr(resolve_name(ADDONS[stranger][0]), missing)
    (line,) = can_be_made(stranger)
    assert line.endswith(f": declare {missing}")


def metrics_server() -> Applied:
    return applied_once("metrics-server")


LEFT_OUT: dict[str, list[Callable[[], Applied]]] = {
    **left_out_of_any_component(metrics_server),
    "is_named_as_in_the_file": [lambda: Applied(**{**vars(metrics_server()), "name": "other"})],
}


@pytest.mark.parametrize(
    ("rule", "number"), [(rule, n) for rule, cases in LEFT_OUT.items() for n in range(len(cases))]
)
def test_objects_without_it_are_complained_of(rule: str, number: int) -> None:
    assert list(APPLIES[rule](LEFT_OUT[rule][number]()))


def test_every_rule_for_objects_is_seen_to_fail() -> None:
    assert LEFT_OUT.keys() == APPLIES.keys()
