"""Which pods `logs` reads, and what it says of them."""

from __future__ import annotations

import pytest

from kindctl.actions.logs import LogLine, log_lines, pods_of
from kindctl.errors import MachineError, UsageError
from kindctl.models import MANAGED_LABEL, MANAGER, Object
from tests.fakes.cluster import FakeCluster


def workload(kind: str, name: str, namespace: str = "shop", ours: bool = True) -> Object:
    labels = {MANAGED_LABEL: MANAGER} if ours else {}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": {"app": name}}},
    }


def pod(name: str, app: str, namespace: str = "shop", *containers: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"containers": [{"name": c} for c in containers or ("main",)]},
    }


@pytest.fixture
def cluster() -> FakeCluster:
    """Ours: Deployment shop/web, StatefulSet shop/db, Deployment blog/web; somebody's: shop/other."""
    cluster = FakeCluster()
    for name in ("shop", "blog"):
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for obj in (
        workload("Deployment", "web"),
        workload("StatefulSet", "db"),
        workload("Deployment", "web", "blog"),
        workload("Deployment", "other", ours=False),
        pod("web-1", "web"),
        pod("web-2", "web"),
        pod("db-0", "db"),
        pod("web-9", "web", "blog"),
        pod("other-1", "other"),
    ):
        cluster.put(obj)
    return cluster


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, ["web-9", "db-0", "web-1", "web-2"]),
        ("db", ["db-0"]),
        ("web", ["web-9", "web-1", "web-2"]),
        ("blog/web", ["web-9"]),
        ("deployment/web", ["web-9", "web-1", "web-2"]),
        ("Deployment/web", ["web-9", "web-1", "web-2"]),
        ("deploy/web", ["web-9", "web-1", "web-2"]),
        ("shop/deployment/web", ["web-1", "web-2"]),
        ("web-2", ["web-2"]),
        ("other-1", ["other-1"]),
    ],
)
def test_logs_are_of_the_pods_that_a_workload_selects(
    cluster: FakeCluster, asked: str | None, found: list[str]
) -> None:
    assert [pod["metadata"]["name"] for pod in pods_of(cluster, asked)] == found


def test_a_pod_is_found_in_every_namespace_that_has_its_name(cluster: FakeCluster) -> None:
    for namespace in ("blog", "shop"):
        cluster.put(pod("debug", "none", namespace))
    found = [pod["metadata"]["namespace"] for pod in pods_of(cluster, "debug")]
    assert found == ["blog", "shop"]


@pytest.mark.parametrize("asked", ["nothing", "other", "blog/db", "statefulset/web"])
def test_an_unknown_workload_is_answered_with_what_there_is(
    cluster: FakeCluster, asked: str
) -> None:
    with pytest.raises(UsageError) as refused:
        pods_of(cluster, asked)
    assert asked in refused.value.what
    assert refused.value.why == "known workloads: blog/web, shop/web, shop/db"


def test_log_lines_name_their_pod_and_container(cluster: FakeCluster) -> None:
    cluster.put(pod("db-0", "db", "shop", "main", "sidecar"))
    cluster.set_log("shop", "db-0", "main", ["one", "two", "three"])
    cluster.set_log("shop", "db-0", "sidecar", ["four"])
    cluster.set_log("shop", "db-0", "main", ["before"], previous=True)
    assert list(log_lines(cluster, "db", tail=2)) == [
        LogLine("db-0/main", "two"),
        LogLine("db-0/main", "three"),
        LogLine("db-0/sidecar", "four"),
    ]
    assert list(log_lines(cluster, "db", previous=True)) == [LogLine("db-0/main", "before")]
    followed = list(log_lines(cluster, "db", tail=2, follow=True))
    assert sorted(line.text for line in followed) == ["four", "three", "two"]


def test_a_log_that_cannot_be_read_does_not_hide_the_others(cluster: FakeCluster) -> None:
    cluster.set_log("shop", "web-2", "main", ["hello"])
    error = MachineError("container is waiting to start")
    cluster.fail("logs", "Pod", error)  # type: ignore[arg-type]
    assert [line.text for line in log_lines(cluster, "shop/web")] == [
        "(container is waiting to start)",
        "hello",
    ]


def test_the_only_log_that_cannot_be_read_is_an_error(cluster: FakeCluster) -> None:
    cluster.fail("logs", "Pod", MachineError("container is waiting to start"))  # type: ignore[arg-type]
    with pytest.raises(MachineError):
        list(log_lines(cluster, "db"))


def test_follow_ends_when_a_log_fails(cluster: FakeCluster) -> None:
    """The pump's thread must not die without a word: the reader would wait for ever."""
    cluster.fail("logs", "Pod", MachineError("container is waiting to start"))  # type: ignore[arg-type]
    with pytest.raises(MachineError):
        list(log_lines(cluster, "db", follow=True))
