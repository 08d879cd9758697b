"""Do the engine's networks or the cluster's address ranges overlap others, such as those of a VPN?

See "Local Subnet Clashes" in kind's known issues.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kindctl.diagnose.base import EngineCheck, Wants
from kindctl.diagnose.common import is_local
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Host, Tools

Network = ipaddress.IPv4Network

KIND_NETWORK = "kind"
CLUSTER_RANGES = {"pods": Network("10.244.0.0/16"), "services": Network("10.96.0.0/16")}
"""The default address ranges of clusters that kind creates."""

POOLS = (
    *(Network(f"172.{second}.0.0/16") for second in range(17, 32)),
    *Network("192.168.0.0/16").subnets(new_prefix=20),
)
"""The address ranges of new Docker networks, unless default-address-pools in daemon.json sets others."""


class Subnets(EngineCheck):
    code = "subnets"
    title = "address ranges"
    local_only = True

    def judge(self, tools: Tools, wants: Wants, info: EngineInfo) -> Verdict:
        if not is_local(info):
            return self.ok("not checked: the engine runs on another machine")
        networks = {name: _v4(network.subnets) for name, network in tools.engine.networks().items()}
        own = {subnet for subnets in networks.values() for subnet in subnets}
        routes = [route for route in _v4(tools.host.routes()) if route not in own]
        if KIND_NETWORK not in networks and _exhausted(tools.host, [*routes, *own]):
            return self.failed(
                "the engine has no address range left for a new network: "
                f"{len(own)} networks and {len(routes)} routes overlap all {len(POOLS)} of its pools",
                "remove unused networks (`docker network prune`), or set default-address-pools in "
                "/etc/docker/daemon.json",
                code="subnet-clash",
            )
        clashes = [*_network_clashes(networks, routes), *_cluster_clashes(routes)]
        if not clashes:
            return self.ok(f"no overlap among {len(routes)} routes and {len(own)} networks")
        return self.warning(
            "; ".join(clashes),
            "if you need to reach these addresses, move the engine's network (default-address-pools in "
            "/etc/docker/daemon.json) or the cluster's ranges (`cluster.kind.networking` in kindctl.yaml)",
            code="subnet-clash",
        )


def _v4(subnets: Sequence[str]) -> list[Network]:
    return [Network(subnet, strict=False) for subnet in subnets if ":" not in subnet]


def _exhausted(host: Host, taken: Iterable[Network]) -> bool:
    if "default-address-pools" in (host.read(Path("/etc/docker/daemon.json")) or ""):
        return False
    used = list(taken)
    return all(any(pool.overlaps(network) for network in used) for pool in POOLS)


def _network_clashes(
    networks: dict[str, list[Network]], routes: Sequence[Network]
) -> Iterator[str]:
    for name, subnets in networks.items():
        for subnet in subnets:
            for route in routes:
                if subnet.overlaps(route):
                    yield f"the engine's network {name} ({subnet}) overlaps the route to {route}"


def _cluster_clashes(routes: Sequence[Network]) -> Iterator[str]:
    """Yield a sentence for each route inside one of the cluster's ranges.

    Wider routes are ignored: a route to 10.0.0.0/8 does not mean that all of its addresses exist.
    """
    for what, subnet in CLUSTER_RANGES.items():
        for route in routes:
            if route.subnet_of(subnet):
                yield f"{what} cannot reach {route}: the cluster uses {subnet} for them"


CHECK = Subnets()
