"""Tests of diagnose/causes/inotify.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import cause, looping


def test_exhausted_inotify_limits_are_told_from_the_log() -> None:
    lines = ["failed to create fsnotify watcher: too many open files"]
    evidence = Evidence(pods=[looping()], logs={"example/backend-5d8f7c-x2x4k/c": lines})
    found = cause(evidence)
    assert (found.code, found.permanent) == ("inotify", True)
    assert "doctor --fix" in found.fix
