"""Do the proxies in this shell's variables exclude the cluster's own addresses? (kind#1186, #1702)

kind passes these variables into the nodes, and adds the node names, the networks, the cluster's ranges and
.svc names to NO_PROXY there. It cannot do so for programs on the host: kubectl, curl, browsers.
"""

from __future__ import annotations

import os
import re

from kindctl.diagnose.base import Check, Wants
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
LOCAL = ("localhost", "127.0.0.1")


class Proxy(Check):
    code = "proxy"
    title = "proxies"
    local_only = True

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        proxies = {name: value for name in PROXIES if (value := _environment(name))}
        if not proxies:
            return self.ok("none set")
        seen = ", ".join(f"{name}={_without_password(value)}" for name, value in proxies.items())
        exempt = [word.strip() for word in _environment("NO_PROXY").split(",") if word.strip()]
        missing = [name for name in _needed(wants) if name not in exempt and "*" not in exempt]
        if not missing:
            return self.ok(f"{seen}; NO_PROXY contains {', '.join(_needed(wants))}")
        return self.warning(
            f"{seen}, but NO_PROXY does not contain {', '.join(missing)}: kubectl and curl would "
            "send requests for this machine's own addresses to the proxy",
            f"run: export NO_PROXY={','.join([*exempt, *missing])} no_proxy=$NO_PROXY",
        )


def _needed(wants: Wants) -> list[str]:
    """Return the addresses that must bypass the proxy. kindctl's own requests to them always bypass it."""
    return list(dict.fromkeys([*LOCAL, *(wanted.address for wanted in wants.ports)]))


def _environment(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)


CHECK = Proxy()
