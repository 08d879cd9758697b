"""Chooses the addresses of the engine's network that MetalLB assigns to Services."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from kindctl.components.base import Neighbours
from kindctl.errors import MachineError

SIZE = 16
"""Number of addresses that one environment has: a slot."""

Address = ipaddress.IPv4Address


class Range(NamedTuple):
    first: Address
    last: Address


def choose(environment: str, neighbours: Neighbours, current: str = "") -> str:
    """Return the pool of an environment, such as "172.18.255.64-172.18.255.79". `current` is the
    pool that its cluster has; it is kept if nobody else uses it.

    The engine gives addresses from the bottom of the network, so the pools are in its last quarter,
    or outside of the range that the engine was configured with. An environment's name determines
    its slot there; if that is in use, it gets the next free one. Environments whose pools are not
    known are assumed to have chosen by the same rule.

    Raises MachineError (address-pool) if the network has no room.
    """
    network = _network(neighbours)
    used = [found for text in (*neighbours.addresses, *neighbours.pools) if (found := _range(text))]
    present = _range(current)
    if present and all(end in network for end in present) and _is_free(present, used):
        return current
    slots = _slots(network, neighbours.ranges)
    free = [_is_free(slot, used) for slot in slots]
    for name in sorted(neighbours.silent):
        free[_slot_of(name, free, network)] = False
    first, last = slots[_slot_of(environment, free, network)]
    return f"{first}-{last}"


def _slot_of(environment: str, free: Sequence[bool], network: ipaddress.IPv4Network) -> int:
    """Return the index of the slot for an environment. A hash of the environment's name gives the slot; if
    that slot is in use, the environment gets the next free slot."""
    start = int.from_bytes(hashlib.sha256(environment.encode()).digest()[:4], "big")
    for index in range(start, start + len(free)):
        if free[index % len(free)]:
            return index % len(free)
    raise _no_room(f"no address range in {network} is free")


def _network(neighbours: Neighbours) -> ipaddress.IPv4Network:
    for subnet in neighbours.subnets:
        network = ipaddress.ip_network(subnet)
        if isinstance(network, ipaddress.IPv4Network):
            return network
    raise _no_room("the nodes' network has no IPv4 addresses")


def _slots(network: ipaddress.IPv4Network, ranges: Collection[str]) -> list[Range]:
    """Return the slots that pools may use: those in the last quarter of the network. If the engine is
    configured with `ranges`, these are all slots outside of `ranges` instead. The last slot is left out,
    as it contains the broadcast address."""
    engines = [found for net in ranges if (found := _range(net))]
    end = int(network.broadcast_address) + 1
    size = network.num_addresses
    begin = int(network.network_address) + SIZE if engines else end - size // 4
    slots = [
        Range(Address(first), Address(first + SIZE - 1)) for first in range(begin, end - SIZE, SIZE)
    ]
    apart = [slot for slot in slots if _is_free(slot, engines)]
    if not slots:
        raise _no_room(f"{network} has only {size} addresses, and at least 128 are needed")
    if not apart:
        raise _no_room(f"the engine assigns all addresses of {network} to containers")
    return apart


def _range(pool: str) -> Range | None:
    """Return the address range that the text means: "172.18.9.0-172.18.9.15", "172.18.9.0/28" or
    "172.18.9.1". Returns None if the text is not IPv4."""
    first, _, last = pool.partition("-")
    try:
        if last:
            return Range(Address(first), Address(last))
        network = ipaddress.IPv4Network(first, strict=False)
    except ValueError:
        return None
    return Range(network[0], network[-1])


def _is_free(wanted: Range, used: Iterable[Range]) -> bool:
    # `<` alone: the other comparisons of addresses are made from it, and take three times as long
    return all(wanted.last < one.first or one.last < wanted.first for one in used)


def _no_room(why: str) -> MachineError:
    return MachineError(
        "there are no addresses for Services of type LoadBalancer",
        why=why,
        fix="remove the engine's network `kind` while no cluster runs, so that kind makes a larger one; "
        "or use `via: node-port` or `via: port-forward`",
        code="address-pool",
    )
