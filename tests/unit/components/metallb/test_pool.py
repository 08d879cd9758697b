"""Tests of components/metallb/pool.py."""

from __future__ import annotations

import ipaddress

import pytest

from kindctl.components.metallb.pool import SIZE, choose
from kindctl.errors import MachineError
from tests.support.pools import NETWORK, SMALL, around, of_one_slot, span


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
    assert "the engine assigns all addresses of" in caught.value.why


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
    [((), "no IPv4"), (("fc00::/64",), "no IPv4"), (("192.168.7.0/26",), "has only 64 addresses")],
)
def test_a_network_without_room_is_told(subnets: tuple[str, ...], why: str) -> None:
    with pytest.raises(MachineError, match="no addresses") as caught:
        choose("shop", around(subnets=subnets))
    assert caught.value.code == "address-pool"
    assert why in caught.value.why
