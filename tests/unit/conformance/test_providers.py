"""What every registered provider must bring. Each rule is seen to fail on one that brings nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kindctl.planning.plan import make_plan
from kindctl.providers import PROVIDERS, load_provider
from kindctl.providers.base import Provider
from kindctl.schema import ClusterConfig, Config
from tests.fakes.tools import fake_tools
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    e2e_faults,
    examples_with,
    loaded_examples,
    protocol_faults,
    schema_faults,
    summary_faults,
    ways_in_with,
)

REGISTRY = "PROVIDERS (kindctl/providers/__init__.py)"


def provider_name(config: Config) -> str:
    """`provider: NAME`, or the first key of the mapping that stands there."""
    asked = config.cluster.provider
    return asked if isinstance(asked, str) else next(iter(type(asked).model_fields))


def examples_of(name: str) -> list[str]:
    return examples_with(lambda config: provider_name(config) == name)


def made(name: str) -> Any:
    """As the plan of an example makes it; the class alone where no example has it."""
    for example in examples_of(name):
        return make_plan(loaded_examples()[example], fake_tools()).provider
    return load_provider(name)


def has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, PROVIDERS[name][1], REGISTRY)


def has_its_name_in_the_schema(name: str) -> Iterator[str]:
    yield from schema_faults(name, ClusterConfig, "provider")


def fulfils_its_protocol(name: str) -> Iterator[str]:
    yield from protocol_faults(name, made(name), Provider, PROVIDERS[name][0])


def is_made_by_the_plan(name: str) -> Iterator[str]:
    if not isinstance(made(name), load_provider(name)) or made(name).name != name:
        yield f"{name}: the plan (kindctl/planning) has to make it, with the name {name!r}"


def is_explained_on_a_page(name: str) -> Iterator[str]:
    if not ways_in_with(name):
        yield f"{name}: say on a page in docs/ways-in when to choose it"


def has_an_example_that_is_brought_up_end_to_end(name: str) -> Iterator[str]:
    yield from e2e_faults(name, examples_of(name), f"cluster: {{provider: {name}}}")


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    has_a_summary,
    has_its_name_in_the_schema,
    fulfils_its_protocol,
    is_made_by_the_plan,
    is_explained_on_a_page,
    has_an_example_that_is_brought_up_end_to_end,
)


@pytest.mark.parametrize("rule", BRINGS)
def test_a_provider(rule: str) -> None:
    assert_nothing_is_missing(line for name in PROVIDERS for line in BRINGS[rule](name))


# --- the rules themselves ------------------------------------------------------------------------


class Copycat:
    """Nothing of what the Protocol asks for."""


@pytest.mark.parametrize("rule", BRINGS)
def test_a_provider_that_brings_nothing_is_told_what(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROVIDERS, "copycat", (f"{__name__}:Copycat", ""))
    complaints = list(BRINGS[rule]("copycat"))
    assert complaints
    assert all(line.startswith("copycat: ") for line in complaints)


def test_a_method_with_other_parameters_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = load_provider("kind")
    monkeypatch.setattr(kind, "deliver", lambda self, image, hurry: None)
    (complaint,) = fulfils_its_protocol("kind")
    assert "another deliver(image, hurry)" in complaint
