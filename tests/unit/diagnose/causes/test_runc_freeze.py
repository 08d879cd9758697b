"""Tests of diagnose/causes/runc_freeze.py."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import cause, event, looping, pod, terminated, waiting

FREEZE = (
    "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: error setting "
    "cgroup config for procHooks process: unable to freeze"
)


def test_a_stumble_of_the_runtime_is_not_permanent() -> None:
    stumbled = looping(ended=terminated(128, reason="StartError", message=FREEZE), restarts=1)
    evidence = Evidence(pods=[stumbled], events=[event(stumbled, "Failed", FREEZE)])
    assert not cause(evidence).permanent


def test_the_runtimes_stumble_is_named_before_any_restart() -> None:
    stumbled = pod(state=waiting("RunContainerError", FREEZE))
    found = cause(Evidence(pods=[stumbled], events=[event(stumbled, "Failed", FREEZE)]))
    assert (found.code, found.permanent) == ("runc-freeze", False)
