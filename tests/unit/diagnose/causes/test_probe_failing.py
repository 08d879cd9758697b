"""Tests of diagnose/causes/probe_failing.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import cause, event, pod, terminated


def test_a_failing_readiness_probe_is_never_permanent() -> None:
    words = 'Readiness probe failed: Get "http://10.244.0.18:80/": connect: connection refused'
    found = cause(Evidence(pods=[pod()], events=[event(pod(), "Unhealthy", words)]))
    assert (found.code, found.permanent, found.cites[0]) == ("probe-failing", False, words)
    assert "readiness probe" in found.what


def test_who_is_killed_by_its_liveness_probe_is_told_so_rather_than_of_a_crash_loop() -> None:
    killed = pod(ended=terminated(137), restarts=11)
    evidence = Evidence(
        pods=[killed],
        events=[
            event(killed, "Killing", "Container c failed liveness probe, will be restarted"),
            event(killed, "Unhealthy", "Liveness probe failed: HTTP probe failed: 500"),
        ],
    )
    found = cause(evidence)
    assert (found.code, found.permanent) == ("probe-failing", False)
    assert "restarts: 11" in found.what
