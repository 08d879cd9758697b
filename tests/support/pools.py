"""Neighbours of an environment, for tests of the pools of MetalLB."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from kindctl.components.base import Neighbours
from kindctl.components.metallb.pool import choose

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
