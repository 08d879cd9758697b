"""The Service at which requests for an ingress controller enter the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class EntryPort(NamedTuple):
    """A port of an entry point."""

    scheme: str  # http or https
    port: int | str  # number or name of the Service's port
    node_port: int  # port of the node on which the pods listen (hostPort); 0: none


STOCK_PORTS = (EntryPort("http", "http", 80), EntryPort("https", "https", 443))
"""The ports of the manifests that kindctl ships. Ports of the host are the user's choice."""


@dataclass(frozen=True)
class EntryPoint:
    """The Service and ports that a controller declares. From them and kindctl.yaml the plan makes
    the controller's exposure."""

    namespace: str
    service: str
    ports: Sequence[EntryPort] = STOCK_PORTS
