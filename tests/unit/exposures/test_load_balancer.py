"""The ports on which this machine stands in for an external address that it cannot reach."""

from __future__ import annotations

from kindctl.exposures.load_balancer import on_this_machine


def test_only_privileged_ports_are_moved() -> None:
    assert on_this_machine((80, 1023, 1024, 8080)) == (8080, 9023, 1024, 8080)
