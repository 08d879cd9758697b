"""If this is the Windows Subsystem for Linux, is it version 2, which has a Linux kernel?"""

from __future__ import annotations

from pathlib import Path

from kindctl.diagnose.base import Check, Wants
from kindctl.models import Verdict
from kindctl.tools.protocols import Tools


class Wsl(Check):
    code = "wsl"
    title = "WSL"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        # 1: "... 4.4.0-19041-Microsoft ..."; 2: "... 5.15.90.1-microsoft-standard-WSL2 ..."
        kernel = tools.host.read(Path("/proc/version")) or ""
        if "microsoft" not in kernel.lower():
            return self.ok("not WSL")
        if "-Microsoft" in kernel and "WSL2" not in kernel:
            return self.failed(
                "WSL 1 has no Linux kernel, so it cannot run containers",
                "run in PowerShell: wsl --set-version DISTRIBUTION 2",
            )
        return self.ok("WSL 2: URLs on localhost can be opened in Windows, too")


CHECK = Wsl()
