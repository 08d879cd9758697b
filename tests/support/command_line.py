"""What tests of several parts of the command line share."""

from __future__ import annotations

from pathlib import Path

import kindctl
from tests.support.machine import BARE

ROOT = Path(kindctl.__file__).parents[1]


def bare() -> None:
    Path("kindctl.yaml").write_text(BARE)


COMMANDS_PAGE = (ROOT / "docs" / "cli.md").read_text()
