"""`kindctl` and `python -m kindctl`."""

from __future__ import annotations

import contextlib
import os
import sys
import threading


def main() -> None:
    from kindctl.cli.exits import run

    code = run(sys.argv[1:])
    if code and any(thread.daemon for thread in threading.enumerate()):
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End at once, and leave no child behind. A run that was stopped leaves an apply behind in its
    thread; were the interpreter taken down under it, native code in there (cryptography's) would abort
    the process."""
    from kindctl.tools.process import no_children

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    with no_children():
        os._exit(code)


if __name__ == "__main__":
    main()
