"""Tests of diagnose/causes/coredns_loop.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import cause, looping


def test_a_dns_that_asks_itself_is_told_from_its_log() -> None:
    dns = looping()
    dns["status"]["containerStatuses"][0]["name"] = "coredns"
    lines = ['[FATAL] plugin/loop: Loop (127.0.0.1:55953 -> :53) detected for zone "."']
    evidence = Evidence(pods=[dns], logs={"example/backend-5d8f7c-x2x4k/coredns": lines})
    found = cause(evidence)
    assert (found.code, found.permanent, found.cites) == ("coredns-loop", True, tuple(lines))
