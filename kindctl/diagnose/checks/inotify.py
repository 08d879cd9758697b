"""Are there enough inotify watches and instances?

Each node is a whole system in a container, and shares these limits with the host. A program that exceeds
them fails with "too many open files" (kubernetes#104303).
"""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.diagnose.base import Check, Wants
from kindctl.models import Say, Verdict
from kindctl.tools.protocols import Host, Tools

LIMITS = {
    "fs.inotify.max_user_watches": (524288, 524288),
    "fs.inotify.max_user_instances": (512, 1024),
}
"""Kernel setting -> (minimum, value that the fix sets). The minimum is from kind's "Known Issues"."""


class Inotify(Check):
    code = "inotify"
    title = "inotify limits"
    local_only = True

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        low = _low(tools.host)
        seen = ", ".join(f"{name} is {value}" for name, value in _values(tools.host).items())
        if not low:
            return self.ok(seen or "this machine has no such limits")
        commands = " && ".join(f"sysctl -w {name}={LIMITS[name][1]}" for name in low)
        return self.warning(
            "; ".join(f"{name} is {low[name]}, below {LIMITS[name][0]}" for name in low),
            f"run as root: {commands}",
            fixable=tools.host.is_root(),
        )

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        return [
            f"set {name} from {value} to {LIMITS[name][1]}, until the next reboot"
            for name, value in _low(tools.host).items()
        ]

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        for sentence, name in zip(self.plan(tools, wants), _low(tools.host), strict=True):
            tools.host.set_sysctl(name, str(LIMITS[name][1]))
            say(sentence)


def _values(host: Host) -> dict[str, int]:
    """Return this machine's current inotify limits.

    The result is empty on macOS, where the limits of the engine's virtual machine matter instead.
    """
    values = {name: host.sysctl(name) for name in LIMITS}
    return {name: int(value) for name, value in values.items() if value is not None}


def _low(host: Host) -> dict[str, int]:
    return {name: value for name, value in _values(host).items() if value < LIMITS[name][0]}


CHECK = Inotify()
