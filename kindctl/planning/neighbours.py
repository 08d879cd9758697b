"""Finds the other environments on the network of kind's nodes, and the addresses that their MetalLB
assigns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kindctl.components.base import Neighbours
from kindctl.errors import ToolError
from kindctl.live.listing import in_parallel
from kindctl.models import DOCKER_ENVIRONMENT_LABEL
from kindctl.providers.kind import ADMIN_CONF, KIND_ROLE_LABEL
from kindctl.providers.registry import NETWORK
from kindctl.tools.engine_protocol import ContainerInfo, Engine, Network

POOLS = (
    *("kubectl", f"--kubeconfig={ADMIN_CONF}", "--request-timeout=3s"),
    *("get", "ipaddresspools.metallb.io", "--all-namespaces"),
    "--output=jsonpath={.items[*].spec.addresses[*]}",
)
"""Command that is run in a node and prints its cluster's pools. They are stored nowhere else."""


def neighbours(engine: Engine, environment: str) -> Neighbours:
    """Ask the engine and the clusters of the other environments about their addresses. Raises ToolError."""
    containers = engine.containers()
    network = engine.networks().get(NETWORK, Network())
    others = [node for node in containers if _is_of_another(node, environment)]
    found = in_parallel(partial(_pools, engine), others)
    return Neighbours(
        subnets=network.subnets,
        addresses=frozenset(
            (*(a for c in containers if (a := c.addresses.get(NETWORK))), *network.reserved)
        ),
        pools=frozenset(one for pools in found for one in pools or ()),
        silent=frozenset(
            node.labels[DOCKER_ENVIRONMENT_LABEL]
            for node, pools in zip(others, found, strict=True)
            if pools is None
        ),
        ranges=network.ranges,
    )


def _is_of_another(container: ContainerInfo, environment: str) -> bool:
    """Return whether this container is the control plane of another environment, running or stopped. Only
    a control plane stores credentials for its API."""
    owner = container.labels.get(DOCKER_ENVIRONMENT_LABEL, environment)
    return owner != environment and container.labels.get(KIND_ROLE_LABEL) == "control-plane"


def _pools(engine: Engine, node: ContainerInfo) -> Sequence[str] | None:
    """Return the address pools of the node's cluster; None if it is stopped, incomplete or has no
    MetalLB."""
    if node.state != "running":
        return None
    try:
        return engine.exec(node.id, POOLS).split()
    except ToolError:
        return None
