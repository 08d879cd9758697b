"""The real tools as a whole."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("kubernetes", "python_on_whales", "psutil", "pydantic", "ssl", "cryptography", "rich")


def test_the_tools_cost_nothing_until_they_are_used() -> None:
    code = (
        "import sys; from kindctl.tools.real import real_tools; real_tools();"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_looking_at_the_engine_needs_no_python_on_whales() -> None:
    """Its import costs more than all that an `up` which finds everything in place asks the engine."""
    code = (
        "import sys; from kindctl.tools.real import real_tools; engine = real_tools().engine;"
        "engine.info(), engine.images(), engine.containers(), engine.networks(), engine.image('x');"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"python_on_whales", "pydantic"} & set(done.stdout.split())
