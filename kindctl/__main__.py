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
    """End the process at once, without leaving child processes. A stopped run leaves an apply running in
    its thread; a regular exit of the interpreter would make native code in that thread (cryptography's)
    abort the process."""
    from kindctl.tools.process import no_children

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader has gone
            stream.flush()
    with no_children():
        os._exit(code)


if __name__ == "__main__":
    main()
