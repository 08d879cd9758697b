"""Tests of diagnose/causes/."""

from __future__ import annotations

import pytest

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object
from tests.support.evidence import after, at, cause, event, node, pod, unscheduled, waiting


@pytest.mark.parametrize(
    "fields",
    [
        {"lastTimestamp": at(50)},
        {"lastTimestamp": None, "eventTime": at(50)},
        {"lastTimestamp": at(7), "series": {"lastObservedTime": at(50)}},
        {"lastTimestamp": None, "firstTimestamp": at(50)},
    ],
)
def test_an_event_happened_when_it_was_last_seen(fields: Object) -> None:
    stuck = pod(state=waiting("ImagePullBackOff", "not found"))
    seen = event(stuck, "Failed", "Failed to pull image: not found")
    found = cause(Evidence(pods=[stuck], events=[{**seen, **fields}]))
    assert found.since == after(50)


def test_events_of_a_namesake_that_is_gone_do_not_count() -> None:
    """A StatefulSet's pod comes back under the same name."""
    stuck = pod("postgres-0")
    old = event(stuck, "Unhealthy", "Readiness probe failed: old")
    old["involvedObject"]["uid"] = "uid-of-its-predecessor"
    assert explain(Evidence(pods=[stuck], events=[old])) is None


def test_the_schedulers_word_from_before_a_node_lost_its_taint_is_passing() -> None:
    stuck = unscheduled("1 node(s) had untolerated taint(s).")
    found = cause(Evidence(pods=[stuck], nodes=[node()]))
    assert (found.code, found.permanent) == ("unschedulable", False)
