"""CoreDNS found that it forwards queries to itself, by way of the host's resolver (kind#1975, #3443)."""

from __future__ import annotations

import re

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import containers, moment
from kindctl.models import Cause

LOOP = re.compile(r"plugin/loop: Loop .* detected for zone")


def explain(evidence: Evidence) -> Cause | None:
    for container in containers(evidence):
        if container.name != "coredns":
            continue
        said = tuple(line for line in container.last_lines(evidence, 50) if LOOP.search(line))
        if said:
            return Cause(
                code="coredns-loop",
                what="the cluster's DNS forwards queries to itself: the host's resolver is a local one",
                fix="let /etc/resolv.conf of the host name a real resolver, then `kindctl down` and "
                "`kindctl up`",
                cites=said[:1],
                permanent=True,
                since=moment(container.ended.get("finishedAt")),
            )
    return None
