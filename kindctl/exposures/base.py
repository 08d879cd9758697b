"""An Exposure is one way to a Service from the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kindctl.models import Endpoint, PortMapping


class Exposure(Protocol):
    def mappings(self) -> Sequence[PortMapping]:
        """Ports that the node must have from its making on; empty where none are needed."""
        ...

    def endpoints(self) -> Sequence[Endpoint]:
        """Where the host reaches the Service: HTTP first."""
        ...
