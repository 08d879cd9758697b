"""CoreDNS found that it forwards queries to itself through the host's resolver (kind#1975, #3443)."""

from __future__ import annotations

import re

from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause

LOOP = re.compile(r"plugin/loop: Loop .* detected for zone")


def explain(evidence: Evidence) -> Cause | None:
    for container in evidence.unready_containers():
        lines = tuple(line for line in container.log(50) if LOOP.search(line))
        if container.name == "coredns" and lines:
            return Cause(
                code="coredns-loop",
                what="CoreDNS forwards queries to itself, because the host uses a local DNS resolver",
                fix="name a DNS server on another machine in the host's /etc/resolv.conf, then run "
                "`kindctl down` and "
                "`kindctl up`",
                cites=lines[:1],
                permanent=True,
                since=container.terminated_at,
            )
    return None
