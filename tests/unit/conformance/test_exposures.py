"""What every registered exposure must bring. Each rule is seen to fail on one that brings nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from kindctl.exposures import EXPOSURES, load_exposure
from kindctl.models import ExposedPort, Exposure, Object
from kindctl.schema import Config, ExposeConfig
from tests.fakes.ways import ports
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    e2e_faults,
    examples_with,
    protocol_faults,
    schema_faults,
    summary_faults,
    ways_in_with,
)

REGISTRY = "EXPOSURES (kindctl/exposures/__init__.py)"


def made(name: str) -> Exposure:
    return load_exposure(name)(ports(), "127.0.0.1")


def has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, EXPOSURES[name][1], REGISTRY)


def has_its_name_in_the_schema(name: str) -> Iterator[str]:
    yield from schema_faults(name, ExposeConfig, "via")


def fulfils_its_protocol(name: str) -> Iterator[str]:
    yield from protocol_faults(name, made(name), Exposure, EXPOSURES[name][0])


def has_an_endpoint_for_every_port(name: str) -> Iterator[str]:
    exposure = made(name)
    there = {endpoint.scheme for endpoint in exposure.endpoints()}
    if missing := {port.scheme for port in exposure.ports} - there:
        yield f"{name}: endpoints() in {EXPOSURES[name][0]} has nothing for {sorted(missing)}"


def shapes_a_service_as_it_says(name: str) -> Iterator[str]:
    exposure = made(name)
    service: Object = {"spec": {"type": "ClusterIP", "ports": [_port("http"), _port("https")]}}
    exposure.shape(service)
    wanted = exposure.service_type or "ClusterIP"
    if service["spec"]["type"] != wanted:
        yield f"{name}: shape() in {EXPOSURES[name][0]} has to make the Service a {wanted}"


def is_explained_on_a_page(name: str) -> Iterator[str]:
    if not ways_in_with(name):
        yield f"{name}: say on a page in docs/ways-in when to choose `via: {name}`"


def has_an_example_that_is_brought_up_end_to_end(name: str) -> Iterator[str]:
    yield from e2e_faults(name, examples_with(lambda c: name in _exposures_of(c)), f"via: {name}")


def _port(name: str) -> Object:
    return {"name": name, "port": {"http": 80, "https": 443}[name]}


def _exposures_of(config: Config) -> Iterator[str]:
    if config.ingress.controller != "none":
        yield config.ingress.expose.via
    yield from (service.via for app in config.apps for service in app.expose)


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    has_a_summary,
    has_its_name_in_the_schema,
    fulfils_its_protocol,
    has_an_endpoint_for_every_port,
    shapes_a_service_as_it_says,
    is_explained_on_a_page,
    has_an_example_that_is_brought_up_end_to_end,
)


@pytest.mark.parametrize("rule", BRINGS)
def test_an_exposure(rule: str) -> None:
    assert_nothing_is_missing(line for name in EXPOSURES for line in BRINGS[rule](name))


# --- the rules themselves ------------------------------------------------------------------------


class Copycat:
    """An exposure that leads nowhere, and lacks methods of its Protocol."""

    on_node = False
    service_type = "NodePort"

    def __init__(self, ports: Sequence[ExposedPort], address: str) -> None:
        self.ports = ports

    def endpoints(self) -> Sequence[Any]:
        return ()

    def shape(self, service: Object) -> None: ...


@pytest.mark.parametrize("rule", BRINGS)
def test_an_exposure_that_brings_nothing_is_told_what(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXPOSURES, "copycat", (f"{__name__}:Copycat", ""))
    complaints = list(BRINGS[rule]("copycat"))
    assert complaints
    assert all(line.startswith("copycat: ") for line in complaints)
