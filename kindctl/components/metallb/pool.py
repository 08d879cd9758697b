"""Which addresses of the engine's network MetalLB may give away."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from kindctl.components.base import Neighbours
from kindctl.errors import MachineError

SIZE = 16
"""Addresses of one environment: a slot."""

Address = ipaddress.IPv4Address


class Range(NamedTuple):
    first: Address
    last: Address


def choose(environment: str, around: Neighbours, now: str = "") -> str:
    """ "172.18.255.64-172.18.255.79". `now`: the pool that the cluster has, which stays if it can.

    The engine gives addresses from the bottom of the network, so that the pools lie in its last quarter,
    or outside of the range that somebody has given the engine. Each environment has a slot there by its
    name, or the next one of which nobody has an address. Those that do not say what they have are taken
    to have theirs by this rule.

    Raises MachineError (address-pool) where the network has no room.
    """
    network = _network(around)
    taken = [Range(address, address) for a in around.addresses if (address := _ipv4(a))]
    taken += [found for pool in around.pools if (found := _range(pool))]
    has = _range(now)
    if has and has[0] in network and has[1] in network and _is_free(has, taken):
        return now
    slots = _slots(network, around.ranges)
    free = [_is_free(slot, taken) for slot in slots]
    for name in sorted(around.silent):
        free[_settle(name, free, network)] = False
    first, last = slots[_settle(environment, free, network)]
    return f"{first}-{last}"


def _settle(environment: str, free: Sequence[bool], network: ipaddress.IPv4Network) -> int:
    """The environment's slot: by its name, or the next free one."""
    start = _place(environment, len(free))
    for step in range(len(free)):
        index = (start + step) % len(free)
        if free[index]:
            return index
    raise _no_room(f"every part of {network} is in use")


def _network(around: Neighbours) -> ipaddress.IPv4Network:
    for subnet in around.subnets:
        network = ipaddress.ip_network(subnet)
        if isinstance(network, ipaddress.IPv4Network):
            return network
    raise _no_room("the nodes' network has no IPv4 addresses")


def _slots(network: ipaddress.IPv4Network, ranges: Collection[str]) -> list[Range]:
    """Of the last quarter, or of all that is beside the engine's ranges; without the end of the network:
    the broadcast address is there."""
    every = map(ipaddress.ip_network, ranges)
    given = [net for net in every if isinstance(net, ipaddress.IPv4Network)]
    end = int(network.broadcast_address) + 1
    size = network.num_addresses
    begin = int(network.network_address) + SIZE if given else end - size // 4
    slots = [
        Range(Address(first), Address(first + SIZE - 1)) for first in range(begin, end - SIZE, SIZE)
    ]
    engines = [Range(net[0], net[-1]) for net in given]
    apart = [slot for slot in slots if _is_free(slot, engines)]
    if not slots:
        raise _no_room(f"{network} has {size} addresses, fewer than 128")
    if not apart:
        raise _no_room(f"the engine itself gives out all of {network}")
    return apart


def _place(environment: str, slots: int) -> int:
    return int.from_bytes(hashlib.sha256(environment.encode()).digest()[:4], "big") % slots


def _range(pool: str) -> Range | None:
    """Of "172.18.9.0-172.18.9.15" or "172.18.9.0/28"; None: it is none of IPv4."""
    first, _, last = pool.partition("-")
    try:
        if last:
            return Range(Address(first), Address(last))
        network = ipaddress.IPv4Network(first, strict=False)
    except ValueError:
        return None
    return Range(network[0], network[-1])


def _ipv4(address: str) -> Address | None:
    return None if ":" in address else Address(address)


def _is_free(wanted: Range, taken: Iterable[Range]) -> bool:
    # `<` alone: the other comparisons of addresses are made from it, and take three times as long
    return all(wanted.last < one.first or one.last < wanted.first for one in taken)


def _no_room(why: str) -> MachineError:
    return MachineError(
        "there are no addresses for Services of type LoadBalancer",
        why=why,
        fix="remove the engine's network `kind` while no cluster runs: kind makes a larger one; "
        "or reach the Service by `via: node-port` or `via: port-forward`",
        code="address-pool",
    )
