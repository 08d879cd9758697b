"""Tests of diagnose/causes/."""

from __future__ import annotations

from kindctl.diagnose.causes import CAUSES, explain, load
from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import at, cause, event, node, pod, terminated, waiting


def test_a_healthy_cluster_has_no_cause() -> None:
    healthy = Evidence(
        pods=[pod(ready=True, ended=terminated(1), restarts=5)],
        nodes=[node()],
        events=[event(pod(), "Unhealthy", "Readiness probe failed: connection refused")],
    )
    assert explain(healthy) is None
    assert explain(Evidence()) is None


def test_every_cause_can_be_loaded_and_answers_nothing_from_nothing() -> None:
    for name in CAUSES:
        assert load(name)(Evidence()) is None


def test_a_permanent_cause_goes_before_a_passing_one_however_sure() -> None:
    slow = pod("frontend-1")
    broken = pod("backend-1", state=waiting("CreateContainerConfigError", 'secret "s" not found'))
    evidence = Evidence(
        pods=[slow, broken],
        events=[
            event(
                slow, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 502"
            ),
            event(broken, "Failed", 'Error: secret "s" not found'),
        ],
    )
    assert cause(evidence).code == "container-config"


def test_a_pod_that_is_going_is_not_looked_at() -> None:
    going = pod(state=waiting("ErrImageNeverPull"))
    going["metadata"]["deletionTimestamp"] = at(5)
    assert explain(Evidence(pods=[going])) is None


def test_pods_of_an_earlier_template_are_not_looked_at() -> None:
    """They still fail while the rollout of what mends them goes on."""
    old = pod("web-aaa-1", state=waiting("InvalidImageName"), labels={"pod-template-hash": "aaa"})
    new = pod("web-bbb-1", created=30, labels={"pod-template-hash": "bbb"})
    assert cause(Evidence(pods=[old])).code == "image-pull"
    assert explain(Evidence(pods=[old, new])) is None


def test_pods_are_not_looked_at_before_the_controller_has_seen_the_change() -> None:
    old = pod("web-aaa-1", state=waiting("InvalidImageName"), labels={"pod-template-hash": "aaa"})
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "example", "generation": 2},
        "status": {"observedGeneration": 1},
    }
    assert explain(Evidence(pods=[old], workloads=[deployment])) is None
    deployment["status"] = {"observedGeneration": 2}
    assert cause(Evidence(pods=[old], workloads=[deployment])).permanent
