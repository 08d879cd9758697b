"""A port of the host that kindctl forwards to ready pods of a Service, through the API server."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.exposures.base import OnThisMachine, forward_to
from kindctl.models import Forward


class PortForward(OnThisMachine):
    """See models.Exposure. It works in every cluster, and changes nothing there."""

    def forwards(self) -> Sequence[Forward]:
        return tuple(forward_to(port, port.local, self.address) for port in self.ports)
