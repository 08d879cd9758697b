"""Tests of diagnose/causes/container_config.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import after, at, cause, event, pod, waiting


@pytest.mark.parametrize(
    "message",
    [
        'configmap "not-there" not found',
        "couldn't find key zz in Secret example/s",
        "container has runAsNonRoot and image will run as root",
    ],
)
def test_missing_configuration_is_named(message: str) -> None:
    stuck = pod(state=waiting("CreateContainerConfigError", message))
    found = cause(Evidence(pods=[stuck], events=[event(stuck, "Failed", f"Error: {message}")]))
    assert (found.code, found.permanent, found.since) == ("container-config", True, after(20))
    assert message in found.what
    assert found.cites == (f"Error: {message}",)


def test_a_config_map_that_may_only_be_a_moment_late_does_not_stop_a_wait() -> None:
    stuck = pod(state=waiting("CreateContainerConfigError", 'configmap "late" not found'))
    early = event(stuck, "Failed", 'Error: configmap "late" not found', seen=2)
    assert not cause(Evidence(pods=[stuck], events=[early])).permanent
    again = {**early, "lastTimestamp": at(9)}
    assert cause(Evidence(pods=[stuck], events=[again])).permanent


def test_a_volume_of_something_missing_is_named() -> None:
    stuck = pod(state=waiting("ContainerCreating"))
    words = 'MountVolume.SetUp failed for volume "v" : configmap "gone" not found'
    found = cause(Evidence(pods=[stuck], events=[event(stuck, "FailedMount", words)]))
    assert (found.code, found.permanent) == ("container-config", True)
    assert found.what.endswith('configmap "gone" not found')
