"""A terminal in memory, for tests of what is shown on one."""

from __future__ import annotations

import io


class Terminal(io.StringIO):
    """A text stream in memory that says it is a terminal which shows UTF-8."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
