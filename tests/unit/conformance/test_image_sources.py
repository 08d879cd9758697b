"""What every registered image source must bring. Each rule is seen to fail on one that brings nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kindctl.images.sources import SOURCES, load_source
from kindctl.images.sources.base import ImageSource, SourceContext
from kindctl.schema import ImagesConfig
from tests.fakes.tools import fake_tools
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    protocol_faults,
    recipe_book,
    schema_faults,
    summary_faults,
    unit_test_faults,
)


def made(name: str) -> ImageSource:
    return load_source(name, SourceContext(fake_tools(), {}, recipe_book()))


def has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(
        name, SOURCES[name][1], "SOURCES (kindctl/images/sources/__init__.py)"
    )


def has_its_name_in_the_schema(name: str) -> Iterator[str]:
    yield from schema_faults(name, ImagesConfig, "sources")


def fulfils_its_protocol(name: str) -> Iterator[str]:
    where = SOURCES[name][0]
    yield from protocol_faults(name, made(name), ImageSource, where)
    if getattr(made(name), "name", "") != name:
        yield f"{name}: {where} needs the name {name!r}"


def has_a_unit_test(name: str) -> Iterator[str]:
    yield from unit_test_faults(name, name, "images")


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    has_a_summary,
    has_its_name_in_the_schema,
    fulfils_its_protocol,
    has_a_unit_test,
)


@pytest.mark.parametrize("rule", BRINGS)
def test_an_image_source(rule: str) -> None:
    assert_nothing_is_missing(line for name in SOURCES for line in BRINGS[rule](name))


# --- the rules themselves ------------------------------------------------------------------------


class Copycat:
    """Nothing of what the Protocol asks for."""

    def __init__(self, context: SourceContext) -> None: ...


@pytest.mark.parametrize("rule", BRINGS)
def test_a_source_that_brings_nothing_is_told_what(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "copycat", (f"{__name__}:Copycat", ""))
    complaints = list(BRINGS[rule]("copycat"))
    assert complaints
    assert all(line.startswith("copycat: ") for line in complaints)
