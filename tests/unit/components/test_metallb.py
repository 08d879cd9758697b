"""MetalLB: whose addresses it gives away, and what it is made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from kindctl.components import ADDONS, load_addon
from kindctl.components.base import Neighbours
from kindctl.components.metallb import POOL, MetalLB
from kindctl.components.metallb.pool import SIZE, choose
from kindctl.errors import MachineError, UsageError
from kindctl.images.pins import METALLB_CONTROLLER, METALLB_SPEAKER
from kindctl.live.port_holders import PortHolders
from kindctl.models import Absent, Differs, Object, Ready
from kindctl.planning.neighbours import neighbours
from kindctl.steps.objects import ObjectsApplied
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeProvider, Heard
from tests.fakes.container import Failed, FakeContainer
from tests.fakes.engine import FakeEngine
from tests.fakes.ways import setup

NETWORK, NETWORK_NAME = "172.18.0.0/16", "kind"


def around(
    *addresses: str,
    subnets: tuple[str, ...] = (NETWORK,),
    pools: Iterable[str] = (),
    silent: Iterable[str] = (),
    ranges: tuple[str, ...] = (),
) -> Neighbours:
    return Neighbours(subnets, frozenset(addresses), frozenset(pools), frozenset(silent), ranges)


def span(pool: str) -> range:
    first, last = (int(ipaddress.ip_address(part)) for part in pool.split("-"))
    return range(first, last + 1)


SMALL = ("172.18.0.0/22",)
"""15 slots."""


def of_one_slot() -> tuple[str, str]:
    """Two names that fall on the same one."""
    first = choose("a", around(subnets=SMALL))
    names = (f"shop-{number}" for number in range(200))
    return "a", next(name for name in names if choose(name, around(subnets=SMALL)) == first)


# --- the pool ------------------------------------------------------------------------------------


def test_a_pool_lies_where_the_engine_has_not_come_to() -> None:
    found = span(choose("shop", around()))
    network = ipaddress.ip_network(NETWORK)
    assert len(found) == SIZE
    assert found.start >= int(network[-1]) - network.num_addresses // 4
    assert found.stop - 1 < int(network.broadcast_address)


def test_environments_have_pools_apart() -> None:
    names = [f"shop-{number}" for number in range(60)]
    pools: list[str] = []
    for name in names:  # one after the other, as they are made
        pools.append(choose(name, around(pools=pools)))
    taken = [address for pool in pools for address in span(pool)]
    assert len(set(taken)) == len(taken) == SIZE * len(names)


def test_pools_are_apart_where_many_names_fall_on_the_same_slot() -> None:
    names = [f"shop-{number}" for number in range(12)]
    pools: list[str] = []
    for name in names:
        pools.append(choose(name, around(subnets=SMALL, pools=pools)))
    taken = [address for pool in pools for address in span(pool)]
    assert len(set(taken)) == len(taken) == SIZE * len(names)


def test_what_others_really_have_is_left_to_them_whatever_their_names_are() -> None:
    """`b` gave way to `a`, which is gone; its pool is not that of its name."""
    a, b = of_one_slot()
    had = choose(b, around(subnets=SMALL, pools=[choose(a, around(subnets=SMALL))]))
    names = [f"shop-{n}" for n in range(200)]
    c = next(name for name in names if choose(name, around(subnets=SMALL)) == had)
    assert choose(c, around(subnets=SMALL, pools=[had])) != had


def test_one_that_does_not_say_what_it_has_is_left_the_slot_of_its_name() -> None:
    a, b = of_one_slot()
    assert choose(b, around(subnets=SMALL, silent=[a])) != choose(a, around(subnets=SMALL))


@pytest.mark.parametrize("theirs", ["{0}-{0}", "{0}/32", "{0}/24"])
def test_a_pool_that_another_has_too_moves(theirs: str) -> None:
    first = choose("shop", around())
    theirs = theirs.format(ipaddress.ip_address(span(first)[3]))
    moved = choose("shop", around(pools=[theirs, "fd00::1-fd00::9"]), first)
    assert not set(span(moved)) & set(span(first))


def test_a_range_of_the_engines_is_left_to_it() -> None:
    upper = ipaddress.ip_network("172.18.128.0/17")
    for number in range(40):
        found = span(choose(f"shop-{number}", around(ranges=(str(upper),))))
        assert found.stop - 1 < int(upper[0])
        assert found.start >= int(ipaddress.ip_address("172.18.0.16"))
    with pytest.raises(MachineError) as caught:
        choose("shop", around(ranges=(NETWORK,)))
    assert "the engine itself gives away all of" in caught.value.why


def test_it_is_the_same_again_and_stays_when_others_come() -> None:
    first = choose("shop", around())
    assert choose("shop", around()) == first
    others = [choose(name, around()) for name in ("a", "b", "c")]
    assert choose("shop", around(pools=others, silent=["d", "shop-2"]), first) == first


def test_a_container_in_it_moves_it() -> None:
    first = choose("shop", around())
    inside = str(ipaddress.ip_address(span(first)[3]))
    assert choose("shop", around(inside)) != first
    assert choose("shop", around(inside), first) != first


def test_another_network_moves_it() -> None:
    elsewhere = choose("shop", around(subnets=("10.89.0.0/16",)), choose("shop", around()))
    assert elsewhere.startswith("10.89.")


def test_only_ipv4_is_given_away() -> None:
    both = around("fc00::2", subnets=("fc00:f853:ccd:e793::/64", NETWORK))
    assert choose("shop", both).startswith("172.18.")


@pytest.mark.parametrize(
    ("subnets", "why"),
    [((), "no IPv4"), (("fc00::/64",), "no IPv4"), (("192.168.7.0/26",), "has 64 addresses")],
)
def test_a_network_without_room_is_told(subnets: tuple[str, ...], why: str) -> None:
    with pytest.raises(MachineError, match="no addresses") as caught:
        choose("shop", around(subnets=subnets))
    assert caught.value.code == "address-pool"
    assert why in caught.value.why


# --- the component -------------------------------------------------------------------------------


def made(cluster: FakeCluster, neighbours: Neighbours | None = None) -> list[Object]:
    return MetalLB(setup("shop", neighbours=lambda: neighbours or around())).objects(cluster, str)


def test_the_registry_loads_it() -> None:
    assert load_addon("metallb", setup("shop")).images() == (
        METALLB_CONTROLLER,
        METALLB_SPEAKER,
    )
    assert "metallb" in ADDONS
    with pytest.raises(UsageError, match="no add-on 'istio'"):
        load_addon("istio", setup("shop"))


def test_the_pool_that_the_cluster_has_stays() -> None:
    cluster = FakeCluster()
    objects = made(cluster)
    (pool,) = (obj for obj in objects if obj["kind"] == "IPAddressPool")
    for obj in objects:
        if obj["kind"] in ("Namespace", "CustomResourceDefinition"):
            cluster.apply(obj)
    chosen = "172.18.200.0-172.18.200.15"
    cluster.apply({**pool, "spec": {"addresses": [chosen]}})
    live = cluster.get(POOL)
    assert live is not None
    assert live["spec"]["addresses"] == [chosen]
    (again,) = (obj for obj in made(cluster) if obj["kind"] == "IPAddressPool")
    assert again["spec"]["addresses"] == [chosen]


def test_all_kinds_that_its_programs_watch_are_defined() -> None:
    defined = {
        obj["spec"]["names"]["kind"]: {v["name"] for v in obj["spec"]["versions"]}
        for obj in made(FakeCluster())
        if obj["kind"] == "CustomResourceDefinition"
    }
    assert len(defined) == 9
    assert defined["BGPPeer"] == {"v1beta1", "v1beta2"}  # the speaker asks for both


def test_it_has_neither_webhook_nor_memberlist() -> None:
    text = str(made(FakeCluster()))
    assert "--webhook-mode=disabled" in text
    assert "METALLB_ML_" not in text


def test_the_speaker_asks_the_control_plane_itself() -> None:
    """kube-proxy may not have made the cluster's own address of it yet."""
    (speaker,) = (obj for obj in made(FakeCluster()) if obj["kind"] == "DaemonSet")
    env = {
        e["name"]: e.get("value")
        for e in speaker["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert env["KUBERNETES_SERVICE_HOST"] == "shop-control-plane"
    assert env["KUBERNETES_SERVICE_PORT"] == "6443"


# --- several environments at once ----------------------------------------------------------------


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
