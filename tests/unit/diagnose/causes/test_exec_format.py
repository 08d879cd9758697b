"""Tests of diagnose/causes/exec_format.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from kindctl.tools.engine_protocol import EngineInfo
from tests.support.evidence import cause, pod, terminated, waiting


def test_the_wrong_processor_is_told_from_the_log() -> None:
    stuck = pod(state=waiting("CrashLoopBackOff"), ended=terminated(255), restarts=2)
    engine = EngineInfo("26", "docker", "", "amd64", 2, 2, 1, "/", rootless=False)
    found = cause(
        Evidence(
            pods=[stuck],
            logs={"example/backend-5d8f7c-x2x4k/c": ["exec /usr/bin/app: exec format error"]},
            engine=engine,
        )
    )
    assert (found.code, found.permanent) == ("exec-format", True)
    assert "shop-backend:1" in found.what
    assert "amd64" in found.what
