from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from kindctl.diagnose.causes import explain as explain_all
from kindctl.diagnose.evidence import Evidence
from kindctl.errors import ApiError
from kindctl.live.cluster_wake import ClusterWake
from kindctl.live.port_holders import PortHolders
from kindctl.live.readiness import pod_state, unready_reason
from kindctl.models import UNCHANGED, Absent, Cause, Differs, NotReady, Object, ObjectRef, Ready
from kindctl.steps.workloads import EXPLAIN_EVERY, WorkloadsReady
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.support import shop
from tests.support.shop import NAMESPACE, ref

WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put(shop.manifest("v1", "Namespace", NAMESPACE))
    return cluster


def step(
    cluster: FakeCluster | None,
    *manifests: Object,
    explain: Callable[[Evidence], Cause | None] = lambda evidence: None,
    clock: FakeClock | None = None,
) -> WorkloadsReady:
    component = FakeComponent(manifests=list(manifests))
    return WorkloadsReady(
        name="ready:shop",
        title="the shop runs",
        needs=frozenset(),
        component=component,
        provider=FakeProvider(cluster),
        environment="dev",
        explain=explain,
        port_holders=PortHolders("dev", [component]),
        clock=(clock or FakeClock()).now,
    )


def put(cluster: FakeCluster, obj: Object, **status: Any) -> Object:
    """The object, as its controller has last written of it."""
    obj = {**obj, "metadata": {**obj["metadata"], "namespace": NAMESPACE}}
    return cluster.put({**obj, "status": {"observedGeneration": 1, **status}})


def replicas(count: int, **status: Any) -> dict[str, Any]:
    fields = ("replicas", "updatedReplicas", "readyReplicas")
    return {**dict.fromkeys(fields, count), **status}


def pod(
    name: str = "web-1",
    *,
    ready: bool = False,
    state: Object | None = None,
    owner: str = "",
    created: str = "2026-11-24T06:00:00Z",
    **status: Any,
) -> Object:
    meta: Object = {"name": name, "labels": {"app": "web"}, "creationTimestamp": created}
    if owner:
        meta["ownerReferences"] = [{"uid": owner}]
    body = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [{"name": "web", "ready": ready, "state": state or {"running": {}}}],
        **status,
    }
    obj = shop.manifest("v1", "Pod", name, spec={"containers": [{"name": "web"}]}, status=body)
    obj["metadata"] = {**meta, "namespace": NAMESPACE}
    return obj


def seen(step: WorkloadsReady) -> str:
    state = step.observe()
    assert isinstance(state, NotReady), state
    return state.seen


# --- the step ------------------------------------------------------------------------------------


def test_it_holds_when_all_are_ready(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1))
    cluster.put(pod(ready=True))
    put(cluster, shop.claim(), phase="Bound")
    wait = step(cluster, shop.deployment(), shop.claim(), shop.service())
    assert wait.observe() == Ready("2 workloads")
    assert wait.apply(Heard()) == UNCHANGED


def test_what_has_no_workloads_is_ready(cluster: FakeCluster) -> None:
    assert isinstance(step(cluster, shop.service()).observe(), Ready)


def test_a_pod_that_waits_says_why(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1, readyReplicas=0))
    cluster.put(pod(state=WAITING))
    assert seen(step(cluster, shop.deployment())) == "web 0/1: ImagePullBackOff (not found)"


def test_an_available_deployment_without_a_ready_pod_is_not_ready(cluster: FakeCluster) -> None:
    available = [{"type": "Available", "status": "True"}]
    put(cluster, shop.deployment(), **replicas(1, readyReplicas=0, conditions=available))
    cluster.put(pod())
    assert seen(step(cluster, shop.deployment())) == "web 0/1: web is running, not Ready"


def test_pods_count_more_than_what_a_controller_last_wrote(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1))
    cluster.put(pod(state={"terminated": {"exitCode": 137}}))
    assert seen(step(cluster, shop.deployment())) == "web 0/1: web exited with code 137"


def test_a_pod_that_is_being_deleted_does_not_count(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1))
    going = pod(ready=True)
    going["metadata"]["deletionTimestamp"] = "2026-11-24T06:00:00Z"
    cluster.put(going)
    assert seen(step(cluster, shop.deployment())).startswith("web 0/1")


def test_what_is_not_there_is_waited_for(cluster: FakeCluster) -> None:
    assert seen(step(cluster, shop.deployment())) == "missing: Deployment shop/web"


def test_without_a_cluster_it_is_absent(cluster: FakeCluster) -> None:
    assert isinstance(step(None, shop.deployment()).observe(), Absent)
    cluster.down = True
    assert isinstance(step(cluster, shop.deployment()).observe(), NotReady)


def test_a_lost_answer_is_no_end(cluster: FakeCluster) -> None:
    cluster.fail("list", "Pod", ApiError("etcd has no leader", status=500))
    assert seen(step(cluster, shop.deployment())) == "etcd has no leader"
    cluster.fail("list", "Pod", ApiError("forbidden", status=403))
    with pytest.raises(ApiError):
        step(cluster, shop.deployment()).observe()


# --- causes --------------------------------------------------------------------------------------


def test_the_cause_is_found_in_the_evidence(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1, readyReplicas=0))
    cluster.put(pod(state=WAITING))
    cause = Cause("image-pull", "no such image", "name another")
    evidence: list[Evidence] = []

    def explain(found: Evidence) -> Cause:
        evidence.append(found)
        return cause

    clock = FakeClock()
    wait = step(cluster, shop.deployment(), explain=explain, clock=clock)
    for _ in range(3):
        state = wait.observe()
        assert isinstance(state, NotReady)
        assert state.cause is cause
    assert len(evidence) == 1  # it costs: not with every look
    clock.sleep(EXPLAIN_EVERY)
    wait.observe()
    assert len(evidence) == 2
    assert [obj["kind"] for obj in evidence[0].workloads] == ["Deployment"]


def test_nothing_is_collected_where_all_is_ready(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1))
    cluster.put(pod(ready=True))

    def explain(evidence: Evidence) -> Cause:
        raise AssertionError

    assert isinstance(step(cluster, shop.deployment(), explain=explain).observe(), Ready)


def test_a_failed_job_ends_the_wait(cluster: FakeCluster) -> None:
    """Whenever it failed: only a new Job can succeed."""
    failed = {
        "type": "Failed",
        "status": "True",
        "message": "too many tries",
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    }
    obj = shop.job()
    obj["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    put(cluster, obj, conditions=[failed])
    cluster.put(pod("migrate-x", state={"terminated": {"exitCode": 3}}, phase="Failed"))
    cluster.set_log(NAMESPACE, "migrate-x", "web", ["connecting", "no such table"])
    state = step(cluster, shop.job(), explain=explain_all).observe()
    assert isinstance(state, NotReady)
    assert state.cause is not None
    assert (state.cause.code, state.cause.permanent) == ("job-failed", True)
    assert state.cause.since is None
    assert state.cause.cites == ("connecting", "no such table")


def test_the_troubles_of_others_explain_nothing(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1, readyReplicas=0))
    cluster.put(pod())
    other = pod("other", state={"terminated": {"exitCode": 1}})
    other["metadata"]["labels"] = {"app": "other"}
    cluster.put(other)
    cluster.set_log(NAMESPACE, "other", "web", ["died"])
    put(cluster, shop.job("of-another"))
    evidence: list[Evidence] = []
    step(cluster, shop.deployment(), explain=evidence.append).observe()
    (found,) = evidence
    assert [obj["metadata"]["name"] for obj in found.pods] == ["web-1"]
    assert [obj["kind"] for obj in found.workloads] == ["Deployment"]
    assert found.logs == {}


# --- claims --------------------------------------------------------------------------------------


def storage_class(mode: str) -> Object:
    return shop.manifest("storage.k8s.io/v1", "StorageClass", "standard", volumeBindingMode=mode)


@pytest.mark.parametrize(
    ("mode", "used", "ready"),
    [
        ("WaitForFirstConsumer", False, True),
        ("WaitForFirstConsumer", True, False),
        ("Immediate", False, False),
    ],
)
def test_a_claim_is_bound_unless_it_waits_for_a_pod(
    cluster: FakeCluster, mode: str, used: bool, ready: bool
) -> None:
    cluster.put(storage_class(mode))
    obj = shop.claim()
    obj["spec"]["storageClassName"] = "standard"
    put(cluster, obj, phase="Pending")
    if used:
        user = pod()
        user["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
        cluster.put(user)
    state = step(cluster, obj).observe()
    assert state == Ready("1 workload") if ready else isinstance(state, NotReady)


# --- kinds of workloads --------------------------------------------------------------------------


def with_status(obj: Object, **status: Any) -> Object:
    meta = {**obj["metadata"], "namespace": NAMESPACE, "generation": 2}
    return {**obj, "metadata": meta, "status": {"observedGeneration": 2, **status}}


READY_POD = pod(ready=True)
NEVER_READY = pod(state={"running": {}})


@pytest.mark.parametrize(
    ("obj", "pods", "said"),
    [
        (with_status(shop.deployment(), **replicas(1)), [READY_POD], ""),
        (
            with_status(shop.deployment(), **replicas(1, observedGeneration=1)),
            [READY_POD],
            "1/1: old pods are being replaced",
        ),
        (
            with_status(shop.deployment(), **replicas(1, replicas=2)),
            [READY_POD],
            "1/1: old pods are being replaced",
        ),
        (
            with_status(shop.deployment(), **replicas(1, updatedReplicas=0)),
            [READY_POD],
            "0/1: old pods are being replaced",
        ),
        (with_status(shop.deployment()), [], "0/1: pods are being created"),
        (with_status(shop.deployment(paused=True)), [], "0/1: the rollout is paused"),
        (
            with_status(
                shop.deployment(),
                conditions=[
                    {
                        "type": "ReplicaFailure",
                        "status": "True",
                        "reason": "FailedCreate",
                        "message": "exceeded quota",
                    }
                ],
            ),
            [],
            "0/1: FailedCreate (exceeded quota)",
        ),
        (with_status(shop.deployment(replicas=0)), [], ""),
        (with_status(shop.workload("StatefulSet"), **replicas(1)), [READY_POD], ""),
        (
            with_status(shop.workload("StatefulSet"), **replicas(1, updatedReplicas=0)),
            [READY_POD],
            "0/1: old pods are being replaced",
        ),
        (
            with_status(
                shop.workload("StatefulSet", updateStrategy={"type": "OnDelete"}),
                **replicas(1, updatedReplicas=0),
            ),
            [READY_POD],
            "",
        ),
        (
            with_status(
                shop.workload("DaemonSet"),
                desiredNumberScheduled=1,
                updatedNumberScheduled=1,
                numberReady=1,
            ),
            [READY_POD],
            "",
        ),
        (
            with_status(shop.workload("DaemonSet"), desiredNumberScheduled=1),
            [NEVER_READY],
            "0/1: web is running, not Ready",
        ),
        (
            with_status(shop.workload("DaemonSet"), observedGeneration=1),
            [],
            "its controller has not acted on the latest change yet",
        ),
        (with_status(shop.workload("ReplicaSet"), **replicas(1)), [READY_POD], ""),
        (with_status(shop.job(), conditions=[{"type": "Complete", "status": "True"}]), [], ""),
        (with_status(shop.job()), [], "not started"),
        (READY_POD, [], ""),
        (pod(phase="Succeeded"), [], ""),
        (NEVER_READY, [], "web is running, not Ready"),
        (with_status(shop.claim(), phase="Lost"), [], "Lost"),
        (with_status(shop.service()), [], ""),
    ],
)
def test_unready_reason(obj: Object, pods: list[Object], said: str) -> None:
    assert unready_reason(obj, pods) == said


def test_a_job_that_runs_is_not_done() -> None:
    obj = with_status(shop.job())
    obj["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    assert unready_reason(obj, [READY_POD]) == "is running"
    obj["spec"]["suspend"] = True
    assert unready_reason(obj, []) == ""


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes are available",
                    }
                ],
            },
            "Unschedulable (0/1 nodes are available)",
        ),
        ({"phase": "Pending", "containerStatuses": []}, "Pending"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on disk"},
            "Evicted (The node was low on disk)",
        ),
        ({"phase": "Succeeded", "containerStatuses": []}, "has completed"),
        (
            {"containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": 0}}}]},
            "has completed",
        ),
        (
            {"initContainerStatuses": [{"name": "copy", "state": {"running": {}}}]},
            "init copy is running",
        ),
        (
            {"initContainerStatuses": [{"name": "copy", "state": WAITING}]},
            "init ImagePullBackOff (not found)",
        ),
        (
            {
                "containerStatuses": [
                    {"name": "web", "state": {"running": {}}, "restartCount": 4, "ready": False}
                ]
            },
            "web is running, not Ready, restarted 4 times",
        ),
    ],
)
def test_pod_state(status: dict[str, Any], said: str) -> None:
    assert pod_state(pod(**status)) == said


def test_the_newest_pod_speaks(cluster: FakeCluster) -> None:
    put(cluster, shop.deployment(), **replicas(1, replicas=2, readyReplicas=0))
    cluster.put(pod("old", created="2026-11-24T05:00:00Z", state=WAITING))
    cluster.put(pod("new", created="2026-11-24T06:00:00Z"))
    assert seen(step(cluster, shop.deployment())) == "web 0/1: web is running, not Ready"


# --- waking --------------------------------------------------------------------------------------


def test_a_change_wakes_the_wait(cluster: FakeCluster) -> None:
    wake = step(cluster, shop.deployment()).wake
    assert wake is not None
    wake.wait(0)  # opens the watch
    thread = threading.Thread(target=wake.wait, args=(600.0,), daemon=True)
    thread.start()
    cluster.put(pod())
    thread.join(60)
    assert not thread.is_alive()


def test_a_new_cluster_is_watched_anew(cluster: FakeCluster) -> None:
    provider = FakeProvider(None)
    wake = ClusterWake(provider, (("v1", "Pod"),))
    wake.wait(0)
    provider.there = FakeCluster()
    wake.wait(0)
    provider.there = cluster
    wake.wait(0)
    thread = threading.Thread(target=wake.wait, args=(600.0,), daemon=True)
    thread.start()
    cluster.put(pod())
    thread.join(60)
    assert not thread.is_alive()
    assert cluster.get(ref(shop.service())) is None
    assert cluster.get(ObjectRef("v1", "Pod", "web-1", NAMESPACE))


def test_pods_with_the_token_of_a_deleted_service_account_are_replaced(
    cluster: FakeCluster,
) -> None:
    """Seen with ingress-nginx: Ready, and every request of its own answered 401."""
    manifest = shop.deployment()
    put(cluster, manifest, **replicas(1))
    web = pod(ready=True)
    web["spec"]["volumes"] = [
        {"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    ]
    cluster.put(web)
    assert isinstance(step(cluster, manifest).observe(), Ready)

    account = shop.manifest("v1", "ServiceAccount", "default")
    account["metadata"]["creationTimestamp"] = "2026-11-24T06:00:01Z"
    put(cluster, account)
    late = step(cluster, manifest)
    assert isinstance(late.observe(), Differs)
    assert late.apply(Heard()).done == ("replaced pod web-1: its ServiceAccount was recreated",)
    assert cluster.list("v1", "Pod", namespace=NAMESPACE) == []


def test_pods_of_one_name_in_two_namespaces_are_both_replaced(cluster: FakeCluster) -> None:
    manifests = []
    cluster.put(shop.manifest("v1", "Namespace", "other"))
    for namespace in (NAMESPACE, "other"):
        account = shop.manifest("v1", "ServiceAccount", "default")
        account["metadata"]["creationTimestamp"] = "2026-11-24T06:00:01Z"
        web = pod(ready=True)
        web["metadata"]["uid"] = f"web-1 in {namespace}"
        web["spec"]["volumes"] = [
            {"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
        ]
        manifest = shop.deployment()
        for obj in (account, web, manifest):
            obj["metadata"]["namespace"] = namespace
        for obj in (account, web, {**manifest, "status": {"observedGeneration": 1, **replicas(1)}}):
            cluster.put(obj)
        manifests.append(manifest)
    stale = step(cluster, *manifests)
    assert stale.observe() == Differs("pods older than their ServiceAccount: web-1, web-1")


# --- ports of a node -----------------------------------------------------------------------------


def with_host_port(name: str, port: int = 80) -> Object:
    obj = shop.deployment()
    obj["metadata"]["name"] = name
    (container, *_) = obj["spec"]["template"]["spec"]["containers"]
    container["ports"] = [{"containerPort": 8080, "hostPort": port}]
    return obj


def lacking_ports(cluster: FakeCluster, port: int = 80) -> None:
    """A pod that no node takes for its port."""
    ports = [{"containerPort": 8080, "hostPort": port}]
    spec = {"containers": [{"name": "web", "image": "a", "ports": ports}]}
    message = (
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    )
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    conditions = [{**scheduled, "message": message}]
    put(cluster, {**pod(), "spec": spec}, phase="Pending", conditions=conditions)


def applied(cluster: FakeCluster, obj: Object, component: str = "shop") -> Object:
    """As an `up` of before has left it."""
    labels = {
        "app.kubernetes.io/managed-by": "kindctl",
        "kindctl.dev/environment": "dev",
        "kindctl.dev/component": component,
    }
    meta = {**obj["metadata"], "labels": labels}
    if obj["kind"] != "ValidatingWebhookConfiguration":
        meta["namespace"] = NAMESPACE
    return cluster.apply({**obj, "metadata": meta})


def test_what_nobody_asks_for_leaves_the_node_to_what_is_asked_for(cluster: FakeCluster) -> None:
    """Its webhook goes first: without the pods behind it, it would refuse what follows."""
    applied(cluster, with_host_port("old"), "custom")
    applied(cluster, with_host_port("other", 90), "custom")
    applied(cluster, shop.webhook(), "custom")
    new = with_host_port("new")
    put(cluster, new, **replicas(1, readyReplicas=0))
    lacking_ports(cluster)
    looking = step(cluster, new)
    state = looking.observe()
    assert isinstance(state, Differs)
    assert "Deployment shop/old" in state.what
    assert looking.apply(Heard()).done == (
        "removed ValidatingWebhookConfiguration web",
        "removed Deployment shop/old",
    )
    assert isinstance(looking.observe(), NotReady)  # its pods end


def test_a_port_that_something_else_has_is_for_the_user_to_free(cluster: FakeCluster) -> None:
    put(cluster, with_host_port("theirs"))
    applied(cluster, with_host_port("new"))
    lacking_ports(cluster)
    looking = step(cluster, with_host_port("new"), explain=explain_all)
    state = looking.observe()
    assert isinstance(state, NotReady)
    assert state.cause is not None
    assert state.cause.code == "unschedulable"
    assert cluster.deleted == []
