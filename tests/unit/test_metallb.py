"""MetalLB: whose addresses it gives away, and what it is made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from kindctl.components import ADDONS, load_addon
from kindctl.components.base import Neighbours
from kindctl.components.metallb import CONTROLLER, POOL, SPEAKER, MetalLB
from kindctl.components.metallb.pool import SIZE, choose
from kindctl.errors import MachineError, UsageError
from kindctl.images.pins import METALLB_CONTROLLER, METALLB_SPEAKER
from kindctl.models import Object
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import setup

NETWORK = "172.18.0.0/16"


def around(
    *addresses: str,
    subnets: tuple[str, ...] = (NETWORK,),
    environments: Sequence[str] = (),
    ranges: tuple[str, ...] = (),
) -> Neighbours:
    return Neighbours(subnets, frozenset(addresses), frozenset(environments), ranges)


def span(pool: str) -> range:
    first, last = (int(ipaddress.ip_address(part)) for part in pool.split("-"))
    return range(first, last + 1)


# --- the pool ------------------------------------------------------------------------------------


def test_a_pool_lies_where_the_engine_has_not_come_to() -> None:
    found = span(choose("shop", around()))
    network = ipaddress.ip_network(NETWORK)
    assert len(found) == SIZE
    assert found.start >= int(network[-1]) - network.num_addresses // 4
    assert found.stop - 1 < int(network.broadcast_address)


def test_environments_have_pools_apart() -> None:
    names = [f"shop-{number}" for number in range(60)]
    pools: dict[str, range] = {}
    for name in names:  # one after the other, as they are made
        pools[name] = span(choose(name, around(environments=tuple(pools))))
    taken = [address for pool in pools.values() for address in pool]
    assert len(set(taken)) == len(taken) == SIZE * len(names)


def test_pools_are_apart_where_many_names_fall_on_the_same_slot() -> None:
    names = [f"shop-{number}" for number in range(12)]
    small = ("172.18.0.0/22",)  # 15 slots
    pools: dict[str, range] = {}
    for name in names:
        pools[name] = span(choose(name, around(subnets=small, environments=tuple(pools))))
    taken = [address for pool in pools.values() for address in pool]
    assert len(set(taken)) == len(taken) == SIZE * len(names)


def test_a_range_of_the_engines_is_left_to_it() -> None:
    upper = ipaddress.ip_network("172.18.128.0/17")
    for number in range(40):
        found = span(choose(f"shop-{number}", around(ranges=(str(upper),))))
        assert found.stop - 1 < int(upper[0])
        assert found.start >= int(ipaddress.ip_address("172.18.0.16"))
    with pytest.raises(MachineError) as caught:
        choose("shop", around(ranges=(NETWORK,)))
    assert "the engine itself gives out all of" in caught.value.why


def test_it_is_the_same_again_and_stays_when_others_come() -> None:
    first = choose("shop", around())
    assert choose("shop", around()) == first
    assert choose("shop", around(environments=("a", "b", "c")), first) == first


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
    assert load_addon("metallb", setup("shop")).images() == (CONTROLLER, SPEAKER)
    assert (CONTROLLER, SPEAKER) == (METALLB_CONTROLLER, METALLB_SPEAKER)
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
