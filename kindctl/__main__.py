"""`kindctl` and `python -m kindctl`."""

from __future__ import annotations

import sys


def main() -> None:
    from kindctl.cli.exits import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
