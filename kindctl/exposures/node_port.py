"""A port of every node, behind a Service; on kind mapped from the host to the control plane."""

from __future__ import annotations

from kindctl.exposures.base import Mapped, service_port
from kindctl.models import Object


class NodePort(Mapped):
    """See models.Exposure."""

    service_type = "NodePort"

    def shape(self, service: Object) -> None:
        service["spec"]["type"] = self.service_type
        for port in self.ports:
            service_port(service, port.port)["nodePort"] = port.node_port
