from __future__ import annotations

import pytest

from kindctl.diagnose.snapshot import collect, failing_containers, snapshot
from kindctl.errors import ApiError
from kindctl.models import Object
from tests.fakes.cluster import FakeCluster


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    for namespace in ("one", "two", "other"):
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for api_version, kind in (
            ("v1", "Pod"),
            ("v1", "Event"),
            ("v1", "Service"),
            ("v1", "PersistentVolumeClaim"),
            ("apps/v1", "Deployment"),
            ("batch/v1", "Job"),
        ):
            meta = {"name": f"{namespace}-{kind.lower()}", "namespace": namespace}
            cluster.put({"apiVersion": api_version, "kind": kind, "metadata": meta})
    cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    return cluster


def names(objects: object) -> set[str]:
    return {obj["metadata"]["name"] for obj in objects}  # type: ignore[attr-defined]


def crashing(namespace: str, *, running: bool = False) -> Object:
    state: Object = {"running": {}} if running else {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 1}}
    status = {"name": "main", "ready": False, "state": state, "lastState": last}
    meta = {"name": "crashing", "namespace": namespace}
    body = {"containerStatuses": [status]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": body}


def test_a_snapshot_holds_its_namespaces_alone(cluster: FakeCluster) -> None:
    evidence = snapshot(cluster, ["one", "two"])
    assert names(evidence.pods) == {"one-pod", "two-pod"}
    assert names(evidence.claims) == {"one-persistentvolumeclaim", "two-persistentvolumeclaim"}
    assert names(evidence.workloads) == {"one-deployment", "one-job", "two-deployment", "two-job"}
    assert (evidence.events, evidence.nodes, evidence.services) == ((), (), ())


def test_collecting_adds_what_explains_it(cluster: FakeCluster) -> None:
    evidence = collect(cluster, ["one"])
    assert names(evidence.events) == {"one-event"}
    assert names(evidence.nodes) == {"node"}
    assert names(evidence.pods) == {"one-pod"}
    assert evidence.logs == {}


def test_a_snapshot_can_be_of_some_kinds_alone(cluster: FakeCluster) -> None:
    evidence = snapshot(cluster, ["one"], workloads=[("batch/v1", "Job")])
    assert names(evidence.workloads) == {"one-job"}


@pytest.mark.parametrize("running", [False, True])
def test_logs_are_those_of_the_run_that_failed(cluster: FakeCluster, running: bool) -> None:
    cluster.put(crashing("one", running=running))
    cluster.set_log("one", "crashing", "main", ["now"])
    cluster.set_log("one", "crashing", "main", ["before"], previous=True)
    logs = collect(cluster, ["one"]).logs
    assert logs == {"one/crashing/main": ["before" if running else "now"]}


def test_a_log_that_is_gone_is_left_out(cluster: FakeCluster) -> None:
    cluster.put(crashing("one"))
    cluster.fail("logs", "Pod", ApiError("the container is gone", status=404))
    assert collect(cluster, ["one"]).logs == {}


@pytest.mark.parametrize(
    ("status", "failing"),
    [
        ({"state": {"running": {}}, "ready": True}, []),
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, []),
        ({"state": {"terminated": {"exitCode": 0}}}, []),
        ({"state": {"terminated": {"exitCode": 2}}}, [("main", False)]),
        (
            {"state": {"running": {}}, "ready": True, "lastState": {"terminated": {"exitCode": 1}}},
            [],
        ),
        ({}, []),
    ],
)
def test_only_failing_containers_have_something_to_say(
    status: Object, failing: list[tuple[str, bool]]
) -> None:
    for field in ("containerStatuses", "initContainerStatuses"):
        pod = {"status": {field: [{"name": "main", **status}]}}
        assert list(failing_containers(pod)) == failing
