"""Tests of diagnose/causes/oom_killed.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import cause, pod, terminated, waiting


@pytest.mark.parametrize(("restarts", "permanent"), [(0, False), (2, False), (3, True)])
def test_out_of_memory_names_the_limit(restarts: int, permanent: bool) -> None:
    killed = pod(
        state=waiting("CrashLoopBackOff"),
        ended=terminated(137, reason="OOMKilled"),
        restarts=restarts,
        container={"resources": {"limits": {"memory": "20Mi"}}},
    )
    found = cause(Evidence(pods=[killed]))
    assert (found.code, found.permanent) == ("oom-killed", permanent)
    assert "limit of 20Mi" in found.what
