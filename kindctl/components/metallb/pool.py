"""Which addresses of the engine's network MetalLB may give away."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Sequence

from kindctl.components.base import Neighbours
from kindctl.errors import MachineError

SIZE = 16
"""Addresses of one environment: a slot."""

Address = ipaddress.IPv4Address


def choose(environment: str, around: Neighbours, now: str = "") -> str:
    """ "172.18.255.64-172.18.255.79". `now`: the pool that the cluster has, which stays if it can.

    The engine gives addresses from the bottom of the network, so that the pools lie in its last quarter,
    or outside of the range that somebody has given the engine. Each environment has a slot there by its
    name, or the next one that is free. Which slots the others have then does not depend on who was first,
    so that nobody has to be asked.

    Raises MachineError (address-pool) where the network has no room.
    """
    network = _network(around)
    taken = {Address(a) for a in around.addresses if ":" not in a}
    if now and _stays(now, network, taken):
        return now
    slots = _slots(network, around.ranges)
    free = [not any(first <= address <= last for address in taken) for first, last in slots]
    for name in sorted(around.environments):
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


def _slots(
    network: ipaddress.IPv4Network, ranges: Collection[str]
) -> list[tuple[Address, Address]]:
    """Of the last quarter, or of all that is beside the engine's ranges; without the end of the network:
    the broadcast address is there."""
    given = [net for net in map(ipaddress.ip_network, ranges) if net.version == network.version]
    end = int(network.broadcast_address) + 1
    size = network.num_addresses
    begin = int(network.network_address) + SIZE if given else end - size // 4
    slots = [
        (Address(first), Address(first + SIZE - 1)) for first in range(begin, end - SIZE, SIZE)
    ]
    apart = [
        (first, last)
        for first, last in slots
        if not any(net[0] <= last and first <= net[-1] for net in given)
    ]
    if not slots:
        raise _no_room(f"{network} has {size} addresses, fewer than 128")
    if not apart:
        raise _no_room(f"the engine itself gives out all of {network}")
    return apart


def _place(environment: str, slots: int) -> int:
    return int.from_bytes(hashlib.sha256(environment.encode()).digest()[:4], "big") % slots


def _stays(pool: str, network: ipaddress.IPv4Network, taken: Collection[Address]) -> bool:
    """Whether it is of this network, and no container has one of its addresses."""
    try:
        first, last = (Address(part) for part in pool.split("-"))
    except ValueError:
        return False
    return first in network and last in network and not any(first <= a <= last for a in taken)


def _no_room(why: str) -> MachineError:
    return MachineError(
        "there are no addresses for Services of type LoadBalancer",
        why=why,
        fix="remove the engine's network `kind` while no cluster runs: kind makes a larger one; "
        "or reach the Service by `via: node-port` or `via: port-forward`",
        code="address-pool",
    )
