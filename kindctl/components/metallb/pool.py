"""Which addresses of the engine's network MetalLB may give away."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection

from kindctl.components.base import Neighbours
from kindctl.errors import MachineError

SIZE = 16
"""Addresses of one environment: a slot."""

Address = ipaddress.IPv4Address


def choose(environment: str, around: Neighbours, now: str = "") -> str:
    """ "172.18.255.64-172.18.255.79". `now`: the pool that the cluster has, which stays if it can.

    The engine gives addresses from the bottom of the network, so that the pools lie in its last quarter;
    each environment has a slot there by its name, apart from those of the others.

    Raises MachineError (address-pool) where the network has no room.
    """
    network = _network(around)
    taken = {Address(a) for a in around.addresses if ":" not in a}
    if now and _stays(now, network, taken):
        return now
    slots = _slots(network)
    others = {_place(name, len(slots)) for name in around.environments}
    start = _place(environment, len(slots))
    for step in range(len(slots)):
        index = (start + step) % len(slots)
        first, last = slots[index]
        if index not in others and not any(first <= address <= last for address in taken):
            return f"{first}-{last}"
    raise _no_room(f"every part of {network} is in use")


def _network(around: Neighbours) -> ipaddress.IPv4Network:
    for subnet in around.subnets:
        network = ipaddress.ip_network(subnet)
        if isinstance(network, ipaddress.IPv4Network):
            return network
    raise _no_room("the nodes' network has no IPv4 addresses")


def _slots(network: ipaddress.IPv4Network) -> list[tuple[Address, Address]]:
    """Of the last quarter, without its end: the broadcast address is there."""
    quarter = network.num_addresses // 4
    begin = int(network.broadcast_address) + 1 - quarter
    starts = range(begin, begin + quarter - SIZE, SIZE)
    if not starts:
        raise _no_room(f"{network} has {network.num_addresses} addresses, fewer than 128")
    return [(Address(first), Address(first + SIZE - 1)) for first in starts]


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
