"""Each cause on what a cluster says then; the words are those of Kubernetes 1.36 and containerd 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kindctl.diagnose.causes import CAUSES, explain, load
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Cause, Object
from kindctl.tools.engine_protocol import EngineInfo

START = datetime(2026, 11, 24, 6, 46, 0, tzinfo=UTC)
FREEZE = (
    "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: error setting "
    "cgroup config for procHooks process: unable to freeze"
)


def at(seconds: float) -> str:
    """Seconds after START, as the API writes it."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def pod(
    name: str = "backend-5d8f7c-x2x4k",
    *,
    ready: bool = False,
    state: Object | None = None,
    ended: Object | None = None,
    restarts: int = 0,
    spec: Object | None = None,
    container: Object | None = None,
    created: float = 0,
    ready_since: float = 10,
    conditions: Sequence[Object] = (),
    labels: Mapping[str, str] | None = None,
) -> Object:
    """A pod with one container, which is called like the Deployment."""
    status = {
        "name": "c",
        "ready": ready,
        "restartCount": restarts,
        "state": state or {"running": {"startedAt": at(created)}},
        "lastState": {"terminated": ended} if ended else {},
    }
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": at(ready_since),
    }
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "example",
            "uid": f"uid-{name}",
            "creationTimestamp": at(created),
            "labels": dict(labels or {}),
        },
        "spec": {
            "nodeName": "shop-control-plane",
            "containers": [{"name": "c", "image": "shop-backend:1", **(container or {})}],
            **(spec or {}),
        },
        "status": {
            "phase": "Running",
            "startTime": at(created),
            "containerStatuses": [status],
            "conditions": [condition, *conditions],
        },
    }


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(
    code: int, *, reason: str = "Error", message: str = "", began: float = 20, ended: float = 22
) -> Object:
    return {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": at(began),
        "finishedAt": at(ended),
    }


def event(about: Object, reason: str, message: str, *, seen: float = 20, **fields: Any) -> Object:
    meta = about["metadata"]
    target = {"kind": about["kind"], "namespace": meta.get("namespace"), "name": meta["name"]}
    if "uid" in meta:
        target["uid"] = meta["uid"]
    return {
        "involvedObject": target,
        "reason": reason,
        "message": message,
        "lastTimestamp": at(seen),
        **fields,
    }


def node(*conditions: Object, **status: Any) -> Object:
    return {
        "kind": "Node",
        "metadata": {"name": "shop-control-plane"},
        "status": {
            "conditions": list(conditions) or [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "2", "memory": "16Gi"},
            **status,
        },
    }


def cause(evidence: Evidence) -> Cause:
    found = explain(evidence)
    assert found is not None
    assert found.what
    assert found.fix
    return found


# --- the whole -------------------------------------------------------------------------------------


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


# --- images ----------------------------------------------------------------------------------------


def pull(
    message: str, *, reason: str = "ImagePullBackOff", image: str = "example/nope:1"
) -> Evidence:
    stuck = pod(state=waiting(reason, f'Back-off pulling image "{image}": {message}'))
    stuck["spec"]["containers"][0]["image"] = image
    words = f'Failed to pull image "{image}": failed to pull and unpack image: {message}'
    return Evidence(pods=[stuck], events=[event(stuck, "Failed", words)], nodes=[node()])


RESOLVE = 'failed to resolve reference "docker.io/example/nope:1": '


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        (f"{RESOLVE}docker.io/example/nope:1: not found", True, "has no such image"),
        (
            f"{RESOLVE}pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed",
            True,
            "denies access",
        ),
        (f"{RESOLVE}unexpected status from HEAD request: 401 Unauthorized", True, "denies access"),
        ("no match for platform in manifest: not found", True, "this architecture"),
        (
            f"{RESOLVE}unexpected status code 429 Too Many Requests - Server message: toomanyrequests",
            False,
            "rate limit",
        ),
        (
            f"{RESOLVE}dial tcp: lookup registry-1.docker.io: no such host",
            False,
            "cannot be reached",
        ),
        ("read tcp 172.18.0.2:1->3.3.3.3:443: read: connection reset by peer", False, "cannot be"),
        (f"{RESOLVE}dial tcp 3.3.3.3:443: i/o timeout", False, "cannot be reached"),
        (f"{RESOLVE}x509: certificate signed by unknown authority", False, "not trusted"),
        ("something new", False, "does not recognize the reason"),
    ],
)
def test_a_pull_fails_for_ever_or_for_now(message: str, permanent: bool, words: str) -> None:
    found = cause(pull(message))
    assert (found.code, found.permanent) == ("image-pull", permanent)
    assert words in found.what
    assert "example/nope:1" in found.what
    assert any(message in cited for cited in found.cites)
    assert found.since == after(20)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "ErrImageNeverPull",
            'Container image "example/nope:1" is not present with pull policy of Never',
        ),
        ("InvalidImageName", 'couldn\'t parse image name "Bad//x": invalid reference format'),
    ],
)
def test_images_that_are_never_asked_for(reason: str, message: str) -> None:
    stuck = pod(state=waiting(reason, message))
    found = cause(Evidence(pods=[stuck]))
    assert found.permanent
    assert message in found.cites


def test_the_name_of_an_image_does_not_decide() -> None:
    found = cause(pull("something new", image="example/denied:1"))
    assert not found.permanent


def test_an_image_that_has_come_meanwhile_is_no_reason_to_stop() -> None:
    """Delivery runs beside the cluster's start; the kubelet sits out its pause."""
    evidence = pull("not found", image="nope")
    there = node(images=[{"names": ["docker.io/library/nope:latest"]}])
    assert cause(evidence).permanent
    assert not cause(replace(evidence, nodes=[there])).permanent


# --- containers that cannot be made ----------------------------------------------------------------


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


# --- containers that end ---------------------------------------------------------------------------

LOG = {"example/backend-5d8f7c-x2x4k/c": ["starting", "fatal: no such table"]}


def looping(**given: Any) -> Object:
    ended = given.pop("ended", None) or terminated(3)
    given.setdefault("restarts", 4)
    return pod(state=waiting("CrashLoopBackOff"), ended=ended, **given)


def test_a_crash_loop_cites_its_last_lines_and_exit_code() -> None:
    found = cause(Evidence(pods=[looping()], logs=LOG))
    assert (found.code, found.permanent, found.since) == ("crash-loop", True, after(22))
    assert "exit code 3, 4 restarts" in found.what
    assert found.cites[-1] == "fatal: no such table"


def test_a_variable_of_a_service_that_was_taken_for_a_setting_is_pointed_out() -> None:
    (where,) = LOG
    said = "ValueError: invalid literal for int() with base 10: 'tcp://10.96.253.188:5432'"
    found = cause(Evidence(pods=[looping()], logs={where: [said]}))
    assert "enableServiceLinks: false" in found.fix
    assert "enableServiceLinks" not in cause(Evidence(pods=[looping()], logs=LOG)).fix


def test_a_program_that_ends_until_its_database_is_up_is_not_given_up() -> None:
    database = pod("postgres-0")
    found = cause(Evidence(pods=[looping(), database], logs=LOG))
    assert (found.code, found.permanent) == ("crash-loop", False)


def test_a_run_that_began_before_the_database_was_ready_proves_nothing() -> None:
    database = pod("postgres-0", ready=True, ready_since=18)
    early, late = terminated(1, began=20, ended=22), terminated(1, began=24, ended=26)
    assert not cause(Evidence(pods=[looping(ended=early), database])).permanent
    assert cause(Evidence(pods=[looping(ended=late), database])).permanent


def test_few_restarts_prove_nothing() -> None:
    assert not cause(Evidence(pods=[looping(restarts=2)])).permanent


def test_a_minute_of_restarts_is_enough_whatever_else_is_up() -> None:
    found = cause(Evidence(pods=[looping(ended=terminated(1, ended=61)), pod("postgres-0")]))
    assert found.permanent


@pytest.mark.parametrize(
    "ended",
    [
        terminated(127),
        terminated(126),
        terminated(
            128,
            reason="StartError",
            message='runc create failed: exec: "nosuch": executable file not found in $PATH',
        ),
    ],
)
def test_a_program_that_cannot_run_is_permanent_at_its_first_restart(ended: Object) -> None:
    found = cause(Evidence(pods=[looping(ended=ended, restarts=1), pod("postgres-0")]))
    assert (found.code, found.permanent) == ("crash-loop", True)
    assert "command" in found.fix


def test_a_stumble_of_the_runtime_is_not_permanent() -> None:
    stumbled = looping(ended=terminated(128, reason="StartError", message=FREEZE), restarts=1)
    evidence = Evidence(pods=[stumbled], events=[event(stumbled, "Failed", FREEZE)])
    assert not cause(evidence).permanent


def test_the_runtimes_stumble_is_named_before_any_restart() -> None:
    stumbled = pod(state=waiting("RunContainerError", FREEZE))
    found = cause(Evidence(pods=[stumbled], events=[event(stumbled, "Failed", FREEZE)]))
    assert (found.code, found.permanent) == ("runc-freeze", False)


def test_a_container_that_ends_well_should_not_end() -> None:
    found = cause(Evidence(pods=[looping(ended=terminated(0, reason="Completed"))]))
    assert "must keep running" in found.fix


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


def test_exhausted_inotify_limits_are_told_from_the_log() -> None:
    lines = ["failed to create fsnotify watcher: too many open files"]
    evidence = Evidence(pods=[looping()], logs={"example/backend-5d8f7c-x2x4k/c": lines})
    found = cause(evidence)
    assert (found.code, found.permanent) == ("inotify", True)
    assert "doctor --fix" in found.fix


def test_a_dns_that_asks_itself_is_told_from_its_log() -> None:
    dns = looping()
    dns["status"]["containerStatuses"][0]["name"] = "coredns"
    lines = ['[FATAL] plugin/loop: Loop (127.0.0.1:55953 -> :53) detected for zone "."']
    evidence = Evidence(pods=[dns], logs={"example/backend-5d8f7c-x2x4k/coredns": lines})
    found = cause(evidence)
    assert (found.code, found.permanent, found.cites) == ("coredns-loop", True, tuple(lines))


def test_a_failing_readiness_probe_is_never_permanent() -> None:
    words = 'Readiness probe failed: Get "http://10.244.0.18:80/": connect: connection refused'
    found = cause(Evidence(pods=[pod()], events=[event(pod(), "Unhealthy", words)]))
    assert (found.code, found.permanent, found.cites[0]) == ("probe-failing", False, words)
    assert "readiness probe" in found.what


def test_who_is_killed_by_its_liveness_probe_is_told_so_rather_than_of_a_crash_loop() -> None:
    killed = pod(ended=terminated(137), restarts=11)
    evidence = Evidence(
        pods=[killed],
        events=[
            event(killed, "Killing", "Container c failed liveness probe, will be restarted"),
            event(killed, "Unhealthy", "Liveness probe failed: HTTP probe failed: 500"),
        ],
    )
    found = cause(evidence)
    assert (found.code, found.permanent) == ("probe-failing", False)
    assert "11 times" in found.what


# --- workloads -------------------------------------------------------------------------------------


def failed_job(**meta: Any) -> Object:
    return {
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "example", **meta},
        "status": {
            "conditions": [
                {
                    "type": "Failed",
                    "status": "True",
                    "reason": "BackoffLimitExceeded",
                    "message": "Job has reached the specified backoff limit",
                    "lastTransitionTime": at(29),
                }
            ]
        },
    }


def test_a_job_that_gave_up_cites_its_pods_last_words() -> None:
    logs = {"example/migrate-8xk2p/c": ["cannot migrate"]}
    found = cause(Evidence(workloads=[failed_job()], logs=logs))
    assert (found.code, found.permanent, found.since) == ("job-failed", True, None)
    assert found.cites == ("cannot migrate",)


def test_a_run_of_a_cron_job_is_nobodys_wait() -> None:
    job = failed_job(ownerReferences=[{"kind": "CronJob", "name": "nightly"}])
    assert explain(Evidence(workloads=[job])) is None


REPLICASET: Object = {
    "kind": "ReplicaSet",
    "metadata": {"name": "web-557f967b46", "namespace": "example"},
    "spec": {"replicas": 1},
    "status": {},
}


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        (
            "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0",
            True,
            "ResourceQuota",
        ),
        ('violates PodSecurity "restricted:latest": runAsNonRoot != true', True, "securityContext"),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", True, "LimitRange"),
        (
            'error looking up service account: serviceaccount "nobody" not found',
            False,
            "ServiceAccount",
        ),
    ],
)
def test_refused_pods(message: str, permanent: bool, words: str) -> None:
    refused = event(
        REPLICASET,
        "FailedCreate",
        f'Error creating: pods "web-557f967b46-x" is forbidden: {message}',
    )
    found = cause(Evidence(workloads=[REPLICASET], events=[refused]))
    assert (found.code, found.permanent) == ("create-refused", permanent)
    assert words in found.fix
    assert message in found.cites[0]


@pytest.mark.parametrize("now", [{"spec": {"replicas": 0}}, {"status": {"readyReplicas": 1}}])
def test_a_refusal_that_is_over_is_not_held_against_it(now: Object) -> None:
    refused = event(REPLICASET, "FailedCreate", "Error creating: forbidden: exceeded quota: q")
    assert explain(Evidence(workloads=[{**REPLICASET, **now}], events=[refused])) is None


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'Post "https://x.ingress-nginx.svc:443/": dial tcp: connection refused',
            "does not answer",
        ),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "trust",
        ),
    ],
)
def test_a_webhook_that_cannot_be_asked_is_named(message: str, words: str) -> None:
    said = (
        "Error creating: Internal error occurred: failed calling webhook "
        f'"validate.nginx.ingress.kubernetes.io": failed to call webhook: {message}'
    )
    found = cause(Evidence(events=[event(REPLICASET, "FailedCreate", said)]))
    assert (found.code, found.permanent) == ("webhook", False)
    assert "validate.nginx.ingress.kubernetes.io" in found.what
    assert words in found.what


# --- scheduling ------------------------------------------------------------------------------------


def unscheduled(message: str, **given: Any) -> Object:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": f"0/1 nodes are available: {message}",
        "lastTransitionTime": at(1),
    }
    return pod(conditions=[condition], **given)


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        ("1 node(s) didn't match Pod's node affinity/selector. preemption: ...", True, "disk=ssd"),
        ("1 node(s) had untolerated taint(s) {dedicated: gpu}.", True, "taint"),
        (
            "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
            False,
            "not ready yet",
        ),
        ("1 node(s) had volume node affinity conflict.", True, "volume"),
        (
            "1 node(s) didn't match PersistentVolume's node affinity, "
            "1 node(s) had untolerated taint(s).",
            True,
            "volume",
        ),
        ("1 node(s) didn't have free ports for the requested pod ports.", False, "host port"),
        ("1 Insufficient cpu. no new claims to deallocate", False, "more cpu than is left"),
        ("1 of something new.", False, "scheduler"),
    ],
)
def test_why_no_node_takes_a_pod(message: str, permanent: bool, words: str) -> None:
    stuck = unscheduled(message, spec={"nodeSelector": {"disk": "ssd"}})
    again = event(stuck, "FailedScheduling", f"0/1 nodes are available: {message}", seen=31)
    found = cause(Evidence(pods=[stuck], nodes=[node()], events=[again]))
    assert (found.code, found.permanent, found.since) == ("unschedulable", permanent, after(31))
    assert words in found.what
    assert message in found.cites[0]


def test_a_node_that_still_boots_may_yet_get_its_labels() -> None:
    stuck = unscheduled("1 node(s) didn't match Pod's node affinity/selector.")
    booting = node({"type": "Ready", "status": "False", "reason": "KubeletNotReady"})
    assert not cause(Evidence(pods=[stuck], nodes=[booting])).permanent


def test_asking_for_more_than_any_node_has_is_permanent() -> None:
    stuck = unscheduled(
        "1 Insufficient cpu.", container={"resources": {"requests": {"cpu": "2500m"}}}
    )
    found = cause(Evidence(pods=[stuck], nodes=[node()]))
    assert found.permanent
    assert "than any node has" in found.what


@pytest.mark.parametrize(
    ("resource", "requested", "allocatable", "too_much"),
    [
        ("cpu", "2500m", "2", True),
        ("cpu", "500m", "0.5", False),
        ("memory", "129Mi", "128Mi", True),
        ("memory", "1Gi", "1073741824", False),
        ("memory", "1Gi", "1G", True),
        ("pods", "1001", "1k", True),
    ],
)
def test_requests_are_compared_as_quantities(
    resource: str, requested: str, allocatable: str, too_much: bool
) -> None:
    stuck = unscheduled(
        f"1 Insufficient {resource}.", container={"resources": {"requests": {resource: requested}}}
    )
    found = cause(Evidence(pods=[stuck], nodes=[node(allocatable={resource: allocatable})]))
    assert found.permanent is too_much


def claim(**spec: Any) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "example"},
        "spec": spec,
        "status": {"phase": "Pending"},
    }


def test_a_claim_of_an_unknown_class_is_permanent_and_explains_its_pod() -> None:
    wanted = claim(storageClassName="fast")
    words = 'storageclass.storage.k8s.io "fast" not found'
    stuck = unscheduled("pod has unbound immediate PersistentVolumeClaims.")
    found = cause(
        Evidence(
            pods=[stuck],
            nodes=[node()],
            claims=[wanted],
            events=[event(wanted, "ProvisioningFailed", words)],
        )
    )
    assert (found.code, found.permanent, found.cites) == ("pvc-pending", True, (words,))
    assert "no storage class fast" in found.what


@pytest.mark.parametrize("asked", [{}, {"storageClassName": "standard"}])
def test_the_default_class_may_be_on_its_way(asked: dict[str, str]) -> None:
    words = "no persistent volumes available for this claim and no storage class is set"
    if asked:
        words = 'storageclass.storage.k8s.io "standard" not found'
    wanted = claim(**asked)
    evidence = Evidence(claims=[wanted], events=[event(wanted, "FailedBinding", words)])
    assert not cause(evidence).permanent


def test_a_claim_that_waits_for_its_first_pod_is_in_order() -> None:
    words = "waiting for first consumer to be created before binding"
    wanted = claim()
    evidence = Evidence(claims=[wanted], events=[event(wanted, "WaitForFirstConsumer", words)])
    assert explain(evidence) is None


def test_a_provisioner_at_work_is_passing() -> None:
    words = "Waiting for a volume to be created either by the external provisioner 'x' or manually"
    wanted = claim(storageClassName="standard")
    evidence = Evidence(claims=[wanted], events=[event(wanted, "ExternalProvisioning", words)])
    assert not cause(evidence).permanent


# --- nodes -----------------------------------------------------------------------------------------


def test_a_full_disk_is_named_rather_than_the_pods_that_it_evicts() -> None:
    full = node(
        {"type": "Ready", "status": "True"},
        {
            "type": "DiskPressure",
            "status": "True",
            "message": "kubelet has disk pressure",
            "lastTransitionTime": at(40),
        },
    )
    evicted = event(pod(), "Evicted", "The node was low on resource: ephemeral-storage.", seen=41)
    stuck = unscheduled("1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.")
    found = cause(Evidence(pods=[stuck], nodes=[full], events=[evicted]))
    assert (found.code, found.permanent, found.since) == ("node-pressure", True, after(41))
    assert "disk space" in found.what
    assert len(found.cites) == 2


def test_a_node_without_its_network_is_passing_and_explains_unscheduled_pods() -> None:
    booting = node(
        {
            "type": "Ready",
            "status": "False",
            "reason": "KubeletNotReady",
            "message": "container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not "
            "initialized",
            "lastTransitionTime": at(3),
        }
    )
    stuck = unscheduled("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.")
    found = cause(Evidence(pods=[stuck], nodes=[booting]))
    assert (found.code, found.permanent, found.since) == ("node-not-ready", False, after(3))
    assert "network is not set up" in found.what


def test_a_kubelet_that_refuses_control_groups_v1_is_permanent() -> None:
    line = (
        'E1124 "command failed" err="failed to validate kubelet configuration, error: kubelet is '
        'configured to not run on a host using cgroup v1"'
    )
    found = cause(Evidence(logs={"shop-control-plane/kubelet": [line]}))
    assert (found.code, found.permanent, found.cites) == ("node-not-ready", True, (line,))
    assert "failCgroupV1" in found.fix


# --- times -----------------------------------------------------------------------------------------


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


# --- external addresses --------------------------------------------------------------------------


def balanced(**more: Any) -> Object:
    meta = {"name": "web", "namespace": "shop", "uid": "u-web", **more}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"type": "LoadBalancer"},
    }


def test_a_service_that_nobody_gives_an_address_will_not_get_one() -> None:
    cause = explain(Evidence(services=[balanced()]))
    assert cause is not None
    assert (cause.code, cause.permanent) == ("load-balancer-pending", True)
    assert "nothing in this cluster assigns them" in cause.what
    for way in ("metallb", "node-port", "port-forward"):
        assert way in cause.fix


def test_what_a_cloud_is_making_is_waited_for() -> None:
    event = {
        "involvedObject": {"kind": "Service", "name": "web", "namespace": "shop", "uid": "u-web"},
        "reason": "EnsuringLoadBalancer",
        "message": "Ensuring load balancer",
        "type": "Normal",
        "lastTimestamp": "2026-11-24T10:00:00Z",
        "metadata": {"namespace": "shop"},
    }
    for found in (
        Evidence(services=[balanced()], events=[event]),
        Evidence(services=[balanced(finalizers=["service.kubernetes.io/load-balancer-cleanup"])]),
    ):
        cause = explain(found)
        assert cause is not None
        assert not cause.permanent


def test_a_service_with_an_address_or_without_the_wish_for_one_is_in_order() -> None:
    there = {**balanced(), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    inside = {**balanced(), "spec": {"type": "ClusterIP"}}
    assert explain(Evidence(services=[there, inside])) is None
