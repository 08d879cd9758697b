"""Ports of the node on which the controller's pod listens, mapped to the host by kind."""

from __future__ import annotations

from kindctl.exposures.base import Mapped


class HostPort(Mapped):
    """See models.Exposure. `node_port` of each port is the pod's hostPort."""

    on_node = True
