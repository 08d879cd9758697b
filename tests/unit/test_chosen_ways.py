"""The ways in that the test command runs are files that are there: a wrong name would leave a test out."""

from __future__ import annotations

import pytest

from tests import ROOT
from tests.conftest import CHOSEN_WAYS


@pytest.mark.parametrize("name", CHOSEN_WAYS)
def test_a_chosen_way_is_a_file(name: str) -> None:
    assert (ROOT / "tests" / "e2e" / "ways" / f"test_{name}.py").is_file()
