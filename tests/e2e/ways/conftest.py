"""The ways in come after the tests of the sample, and want the same ports."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import NAME
from tests.support.harness import Kindctl


@pytest.fixture(scope="module", autouse=True)
def free_ports(kindctl: Kindctl) -> None:
    """The sample has had its tests, and would keep 80 and 443 to the end of the session."""
    kindctl.run("down", NAME)
