"""Tests of planning/neighbours.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kindctl.components.metallb import POOL, MetalLB
from kindctl.live.port_holders import PortHolders
from kindctl.models import Absent, Differs, Ready
from kindctl.planning.neighbours import neighbours
from kindctl.steps.objects import ObjectsApplied
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeProvider, Heard
from tests.fakes.container import Failed, FakeContainer
from tests.fakes.engine import FakeEngine
from tests.fakes.ways import setup
from tests.support.pools import NETWORK_NAME, SMALL, of_one_slot, span


class Machine:
    """Of one engine: environments whose nodes say which pools their clusters have."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.engine.add_image("node")
        self.engine.subnets[NETWORK_NAME] = SMALL
        self.clusters: dict[str, FakeCluster] = {}

    def adds(self, name: str) -> ObjectsApplied:
        """The step that applies MetalLB in a new environment."""
        self.clusters[name] = cluster = FakeCluster()
        labels = {"dev.kindctl.environment": name, "io.x-k8s.kind.role": "control-plane"}
        address = {NETWORK_NAME: f"172.18.0.{len(self.clusters) + 1}"}
        node = f"{name}-control-plane"
        self.engine.add_container(
            FakeContainer(
                node,
                "node",
                labels,
                addresses=address,
                programs={"kubectl": lambda *_: " ".join(pool_of(cluster))},
            )
        )
        component = MetalLB(setup(name, neighbours=lambda: neighbours(self.engine, name)))
        return ObjectsApplied(
            name="apply",
            title="",
            needs=frozenset(),
            component=component,
            provider=FakeProvider(cluster),
            environment=name,
            resolve=str,
            port_holders=PortHolders(name, [component]),
            exclusively=component.exclusively,
        )


def pool_of(cluster: FakeCluster) -> Sequence[str]:
    live = cluster.get(POOL)
    if live is None:
        raise Failed(1, 'error: the server doesn\'t have a resource type "ipaddresspools"')
    found: Sequence[str] = live["spec"]["addresses"]
    return found


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return Machine()


def test_environments_that_come_up_together_have_pools_apart(machine: Machine) -> None:
    steps = {name: machine.adds(name) for name in of_one_slot()}
    for step in steps.values():
        assert isinstance(step.observe(), Absent)  # neither sees a pool of the other
    for step in steps.values():
        step.apply(Heard())
        assert isinstance(step.observe(), Ready)
    (one,), (other,) = (pool_of(machine.clusters[name]) for name in steps)
    assert not set(span(one)) & set(span(other))


def test_two_that_have_the_same_pool_part_with_the_next_up(machine: Machine) -> None:
    first, second = (machine.adds(name) for name in of_one_slot())
    for step in (first, second):
        step.apply(Heard())
    one, other = machine.clusters.values()
    (had,) = pool_of(other)
    live = one.get(POOL)
    assert live is not None
    one.apply({**live, "spec": {**live["spec"], "addresses": [had]}})
    first.component = MetalLB(setup("a", neighbours=lambda: neighbours(machine.engine, "a")))
    first.exclusively = first.component.exclusively
    assert isinstance(first.observe(), Differs)
    first.apply(Heard())
    assert pool_of(one) != pool_of(other) == [had]


def test_a_stopped_environment_is_left_the_slot_of_its_name(machine: Machine) -> None:
    a, b = of_one_slot()
    machine.adds(a)
    machine.engine.stop(f"{a}-control-plane")
    found = neighbours(machine.engine, b)
    assert found.silent == {a}
    assert not found.pools
    assert not found.addresses


def test_neighbours_are_other_environments_nodes_alone(machine: Machine) -> None:
    machine.adds("shop").apply(Heard())
    machine.engine.add_container(
        FakeContainer("kindctl-shop-registry", "node", {"dev.kindctl.environment": "shop"})
    )
    machine.engine.add_container(
        FakeContainer("web", "node", addresses={NETWORK_NAME: "172.18.0.9"})
    )
    found = neighbours(machine.engine, "blog")
    assert found.pools == frozenset(pool_of(machine.clusters["shop"]))
    assert not found.silent
    assert found.addresses == {"172.18.0.2", "172.18.0.9"}
    assert not neighbours(machine.engine, "shop").pools
