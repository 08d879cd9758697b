"""What tests of several commands share."""

from __future__ import annotations

from kindctl.errors import MachineError

MISSING = MachineError("no container engine", code="engine-missing")
